import PQueue from 'p-queue';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { FunctionSpec, ImageInfo, OpenRun, Run } from '../../domain/run.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { earliest } from '../../lib/earliest.ts';
import type { Log } from '../../lib/log.ts';
import { splitParameters } from '../../python-literal/literal.ts';
import { RETRY } from '../retry/policies.ts';

/** What a run points to, that its parameters make no sense, or that the last look-up failed. */
type Found =
  | { readonly kind: 'found'; readonly function: FunctionSpec; readonly image: ImageInfo }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'failed'; readonly until: number; readonly times: number; readonly retryable: boolean };

/** So many failed look-ups in a row are taken for passing; more, and nobody need wait for the run. */
const RETRYABLE_FAILURES = 5;

/**
 * Looks up the functions and images that runs point to, a few at a time, and keeps them as long as the run is on
 * the market: a function that changes counts for the runs that come after.
 */
export class RunResolver {
  readonly #broker: Pick<Broker, 'function' | 'image'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, Found>();
  readonly #underWay = new Set<string>();
  readonly #images = new Map<string, ImageInfo>();
  readonly #queue = new PQueue({ concurrency: 4 });
  readonly #onChange: () => void;

  /** `onChange` is called after each look-up. */
  constructor(deps: {
    readonly broker: Pick<Broker, 'function' | 'image'>;
    readonly clock: Clock;
    readonly log: Log;
    readonly random: () => number;
    readonly signal: AbortSignal;
    readonly onChange: () => void;
  }) {
    this.#broker = deps.broker;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#random = deps.random;
    this.#signal = deps.signal;
    this.#onChange = deps.onChange;
  }

  /** The run with what is known of its function and image. */
  open(run: Run): OpenRun {
    const found = this.#found.get(run.uuid);
    if (found?.kind !== 'found') return { run, function: undefined, image: undefined };
    return { run, function: found.function, image: found.image };
  }

  /** Whether the run was looked up and its parameters make no sense, which stays so. */
  invalid(runUuid: string): boolean {
    return this.#found.get(runUuid)?.kind === 'invalid';
  }

  /** Whether a look-up is under way, or will be tried again with some hope. */
  get busy(): boolean {
    return this.#underWay.size > 0 || this.#failures().some(({ retryable }) => retryable);
  }

  /** When the next failed look-up is to be tried again; Infinity where none is. */
  get nextRetryAt(): number {
    return earliest(this.#failures().map(({ until }) => until));
  }

  /** Looks the run up in the background, unless that failed a moment ago; answers whether it is under way. */
  resolve(run: Run): boolean {
    const found = this.#found.get(run.uuid);
    if (this.#underWay.has(run.uuid)) return true;
    if (found !== undefined && (found.kind !== 'failed' || this.#clock.monotonic() < found.until))
      return false;
    this.#underWay.add(run.uuid);
    void this.#queue.add(async () => {
      try {
        this.#found.set(run.uuid, await this.#fetch(run));
      } catch (thrown) {
        this.#failed(run, asAgentError(thrown));
      } finally {
        this.#underWay.delete(run.uuid);
        this.#onChange();
      }
    });
    return true;
  }

  /** Forgets all runs that are not on the market any more. */
  retain(runs: ReadonlySet<string>): void {
    for (const uuid of this.#found.keys()) if (!runs.has(uuid)) this.#found.delete(uuid);
  }

  #failed(run: Run, { code, message }: AgentError): void {
    const before = this.#found.get(run.uuid);
    const times = before?.kind === 'failed' ? before.times + 1 : 1;
    // What the broker says and no one can read is not going to hint itself soon.
    const unreadable = code === 'BROKER_BAD_ANSWER';
    // Something in front of the broker may have said it; if not, it lasts.
    const gone = code === 'BROKER_NOT_FOUND';
    const shape = gone ? RETRY.lookUpNotFound : RETRY.lookUp;
    const waitMs = unreadable ? shape.maxMs : backoffMs(shape, times, this.#random);
    const retryable = !unreadable && !gone && times <= RETRYABLE_FAILURES;
    this.#found.set(run.uuid, { kind: 'failed', times, until: this.#clock.monotonic() + waitMs, retryable });
    const level = times === 1 ? 'warn' : 'debug';
    if (!this.#signal.aborted) this.#log[level]({ run: run.uuid, code }, `run not looked up: ${message}`);
  }

  #failures(): readonly (Found & { readonly kind: 'failed' })[] {
    const now = this.#clock.monotonic();
    return [...this.#found.values()]
      .filter((found) => found.kind === 'failed')
      .filter(({ until }) => until > now);
  }

  async #fetch(run: Run): Promise<Found> {
    const fn = await this.#broker.function(run.functionUuid, this.#signal);
    const image = fn === undefined ? undefined : await this.#image(fn.imageUuid);
    if (fn !== undefined && !this.#readable(run, fn)) return { kind: 'invalid' };
    if (fn !== undefined && image !== undefined) return { kind: 'found', function: fn, image };
    const what = fn === undefined ? `function ${run.functionUuid}` : `image ${fn.imageUuid}`;
    throw new AgentError('BROKER_NOT_FOUND', `the broker does not know its ${what}`);
  }

  /** Whether the parameters are a literal. Python 2 has literals of its own, and is the runChecks of them. */
  #readable(run: Run, fn: FunctionSpec): boolean {
    if (/^python2/i.test(fn.runtime)) return true;
    try {
      splitParameters(run.parameters);
      return true;
    } catch (thrown) {
      const { message } = asAgentError(thrown);
      this.#log.warn({ run: run.uuid }, `run left alone, its parameters cannot be read: ${message}`);
      return false;
    }
  }

  async #image(uuid: string): Promise<ImageInfo | undefined> {
    const known = this.#images.get(uuid);
    if (known !== undefined) return known;
    const image = await this.#broker.image(uuid, this.#signal);
    if (image !== undefined) this.#images.set(uuid, image);
    return image;
  }
}
