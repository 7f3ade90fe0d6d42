import { z } from 'zod';
import type { BookedJob } from '../domain/books.ts';
import { AgentError } from '../domain/errors.ts';
import { type FinalStatus, JOB_STATUS } from '../domain/job.ts';
import { microDollars } from '../pricing/money.ts';
import { isGone } from './answer.ts';
import { parseBrokerTime } from './broker-time.ts';
import { InvalidItems, id, ON_WIRE, readItem, readResource } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';
import { readList } from './read-list.ts';
import { ResourceReader } from './read-resource.ts';
import type { Transport } from './transport.ts';
import { jobCost } from './wire-job.ts';

const ENDED: readonly FinalStatus[] = [JOB_STATUS.SUCCEEDED, JOB_STATUS.FAILED, JOB_STATUS.TIMEOUT];

const FIELDS: Fields = {
  uuid: ON_WIRE.short,
  instance: ON_WIRE.short,
  status: ON_WIRE.short,
  cost: ON_WIRE.short,
  created_at: ON_WIRE.short,
  assigned_at: ON_WIRE.short,
  finished_at: ON_WIRE.short,
  current_server_time: ON_WIRE.short,
};

const time = z.string().transform(parseBrokerTime).optional().catch(undefined);

const schema = z.object({
  uuid: id(),
  instance: id().nullish(),
  status: z.int(),
  cost: jobCost(),
  created_at: time,
  assigned_at: time,
  finished_at: time,
  current_server_time: time,
});

const ACCOUNT_FIELDS: Fields = { balance: ON_WIRE.short, spent: ON_WIRE.short };

/** A balance may be negative. */
const amount = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d{1,30}(?:\.\d{1,30})?$/)
    .transform(Number),
]);
const accountSchema = z.object({ balance: amount, spent: amount.optional().catch(undefined) });

/** An account in micro-dollars. */
export type Account = {
  readonly balance: number;
  /** What it has paid as a buyer; undefined: the broker does not say. */
  readonly spent: number | undefined;
};

/** What the broker has booked. Only reads, and renews no lease. Throws BROKER_*. */
export class BrokerBooks {
  readonly #transport: Pick<Transport, 'send'>;

  constructor(transport: Pick<Transport, 'send'>) {
    this.#transport = transport;
  }

  /** The account of the token. */
  async account(signal: AbortSignal): Promise<Account> {
    const into = new ResourceReader(ACCOUNT_FIELDS);
    const reply = await this.#transport.send({
      method: 'GET',
      path: '/api/v1/users/account/',
      into,
      signal,
    });
    const { balance, spent } = readResource(accountSchema, into.json(reply), 'account');
    return {
      balance: microDollars(balance),
      spent: spent === undefined ? undefined : microDollars(spent),
    };
  }

  /** A job, whether it has ended or not; undefined: 404. */
  async job(uuid: string, signal: AbortSignal): Promise<BookedJob | undefined> {
    const into = new ResourceReader(FIELDS);
    const path = `/api/v1/jobs/${encodeURIComponent(uuid)}/`;
    const reply = await this.#transport.send({ method: 'GET', path, into, signal });
    return isGone(reply) ? undefined : bookedJob(readResource(schema, into.json(reply), 'job'));
  }

  /**
   * Hands over each job that has ended at one of these instances, some perhaps twice, as the lists are read. Returns the items
   * that could not be read. A broker that ignores a filter is not asked for its other values. One that refuses them, as of an
   * instance that it has deleted, is asked without them, unless it knows another instance.
   */
  async endedJobs(
    instances: ReadonlySet<string>,
    onJob: (job: BookedJob) => void,
    signal: AbortSignal,
  ): Promise<InvalidItems> {
    const invalid = new InvalidItems();
    const list = (query: Query) => this.#list(query, { instances, onJob, invalid }, signal);
    const refused = new Set<string>();
    for (const status of ENDED) {
      let isStatusIgnored = false;
      for (const instance of instances) {
        if (refused.has(instance)) continue;
        const seen = await list({ instance, status: String(status) }).catch(undefinedIfRefused);
        if (seen === undefined) refused.add(instance);
        if (seen?.otherStatus === true) isStatusIgnored = true;
        if (seen?.otherInstance === true) break;
      }
      if (isStatusIgnored) break;
    }
    if (refused.size > 0 && refused.size === instances.size) await list({});
    return invalid;
  }

  /** Reads a list; says whether it has what the query does not ask for. */
  async #list(
    query: Query,
    { instances, invalid, onJob }: Wanted,
    signal: AbortSignal,
  ): Promise<{ readonly otherInstance: boolean; readonly otherStatus: boolean }> {
    let [otherInstance, otherStatus] = [false, false];
    const onItem = (item: ProjectedItem): true => {
      const read = readItem(schema, item);
      if ('invalid' in read) invalid.add(read.invalid);
      else {
        const job = bookedJob(read.value);
        if (job.instance !== query.instance) otherInstance = true;
        if (String(job.status) !== query.status) otherStatus = true;
        const isOurs = job.instance !== null && instances.has(job.instance);
        if (isOurs && ENDED.some((one) => one === job.status)) onJob(job);
      }
      return true;
    };
    await readList(
      (address, into) =>
        this.#transport.send({
          method: 'GET',
          ...(address === undefined ? { path: '/api/v1/jobs/', query } : { path: address }),
          into,
          signal,
        }),
      { fields: FIELDS, beyond: 'refuse', onItem },
    );
    return { otherInstance, otherStatus };
  }
}

/** Not `status=2`, which would renew the leases of an agent that is gone. */
type Query = { readonly instance?: string; readonly status?: string };

type Wanted = {
  readonly instances: ReadonlySet<string>;
  readonly onJob: (job: BookedJob) => void;
  readonly invalid: InvalidItems;
};

function undefinedIfRefused(thrown: unknown): undefined {
  if (thrown instanceof AgentError && (thrown.code === 'BROKER_NOT_FOUND' || thrown.status === 400))
    return undefined;
  throw thrown;
}

function bookedJob(job: z.output<typeof schema>): BookedJob {
  const ended = job.finished_at ?? job.assigned_at ?? job.created_at;
  const now = job.current_server_time;
  return {
    uuid: job.uuid,
    instance: job.instance ?? null,
    status: job.status,
    microDollars: job.cost === undefined ? undefined : microDollars(job.cost),
    // An age is the difference of two times of the broker.
    endedAt: ended === undefined || now === undefined ? undefined : Date.now() - (now - ended),
  };
}
