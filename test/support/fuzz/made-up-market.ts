import { JOB_STATUS } from '../../../src/domain/job.ts';
import { CPU_IMAGE } from '../domain.ts';
import type { Dice } from './dice.ts';
import type { Distortion, FuzzCall, Fuzzer, Honest } from './front.ts';
import { isFields, Lazy, longText, manyItems, piecesOf, repeated } from './lazy-json.ts';

/** What strangers put on the market; each is one way to be too much. */
export type Offered = 'plain' | 'parameters' | 'many-jobs' | 'code' | 'names' | 'image' | 'gpu' | 'arguments';

/** How much of it there is. */
export type MarketSize = {
  /** Runs of each kind in each list. */
  readonly runs: Partial<Readonly<Record<Offered, number>>>;
  /** Bytes of what is too long, at most. */
  readonly bytes: number;
  /** Bytes of a job’s arguments, at most. */
  readonly argumentBytes: number;
  /** Jobs of a run that has too many. */
  readonly jobs: number;
  /** GPUs in the catalogue. */
  readonly gpus: number;
  /** Whether each list has other runs than the one before. */
  readonly isNewEachTime?: boolean;
};

const TIME = '27-11-2026 00:00:00';
const IMAGE = 'made-up-image';

/**
 * Runs of strangers beside those of the broker, with functions, images and jobs of their own. Their jobs are taken, run and
 * reported like others; `started` is a file to which each adds a line.
 */
export class MadeUpMarket {
  /** How often each job was given to an agent. */
  readonly claims = new Map<string, number>();
  readonly #size: MarketSize;
  readonly #started: string;
  /** Of each job that was claimed. */
  readonly #jobs = new Map<string, { status: unknown; instance: unknown }>();
  #lists = 0;
  #hasListedMany = false;

  constructor(size: MarketSize, started: string) {
    this.#size = size;
    this.#started = started;
  }

  /** Adds the strangers' runs and GPUs to the broker's lists, and answers all that is asked about them. */
  readonly fuzzer: Fuzzer = (call, dice): Distortion | undefined => {
    const { endpoint, id } = call;
    if (endpoint === 'runs') return list((own) => this.#runs(own, dice));
    if (endpoint === 'gpus' && this.#size.gpus > 0)
      return list((own) => manyItems(this.#size.gpus, (n) => JSON.stringify(gpu(n)), own));
    if (endpoint === 'open-jobs') {
      const run = call.query.get('run') ?? '';
      return run.startsWith('made-up-') ? whole(this.#jobsOf(run, dice)) : undefined;
    }
    if (endpoint === 'held-jobs') return list((own) => [...own, ...this.#held(call.query.get('instance'))]);
    if (!id.startsWith('made-up-')) return undefined;
    if (endpoint === 'function') return whole(this.#functionOf(id, dice));
    if (endpoint === 'image')
      return whole({
        uuid: id,
        registry_path: this.#pathOf(id, dice),
        requires_gpu: false,
        runtime: 'node24',
      });
    if (endpoint !== 'job-change' || !id.startsWith('made-up-arguments-')) return undefined;
    return {
      passOn: true,
      answer: (honest) =>
        whole(this.#longer(JSON.parse(honest.text), this.#size.argumentBytes)).answer(honest),
    };
  };

  /** Answers what is asked about single jobs, in small. */
  readonly madeUp = (call: FuzzCall): Honest | undefined => {
    const { endpoint, id } = call;
    if (!id.startsWith('made-up-')) return undefined;
    if (endpoint === 'job') return said(this.#job(id));
    if (endpoint !== 'job-change') return undefined;
    const change: unknown = JSON.parse(call.body.toString());
    if (!isFields(change)) return undefined;
    const before = this.#jobs.get(id);
    if (change['status'] === JOB_STATUS.IN_PROGRESS && before?.status !== JOB_STATUS.IN_PROGRESS)
      this.claims.set(id, (this.claims.get(id) ?? 0) + 1);
    this.#jobs.set(id, { status: change['status'], instance: change['instance'] });
    return said(this.#job(id));
  };

  /** Whether the agent has come to the run with too many jobs, after those that it takes before. */
  readonly isEnough = (): boolean => this.#hasListedMany;

  #runs(own: readonly unknown[], dice: Dice): unknown {
    this.#lists += 1;
    const list = this.#size.isNewEachTime ? this.#lists : 0;
    const { bytes, runs } = this.#size;
    return new Lazy(function* () {
      yield '[';
      for (const item of own) {
        yield* piecesOf(item);
        yield ',';
      }
      for (const [kind, count] of Object.entries(runs))
        for (let n = 0; n < count; n += 1) {
          yield* piecesOf(run(kind, `${list}-${n}`, dice.size(1_000, bytes)));
          yield ',';
        }
      yield* piecesOf(run('plain', 'last', 0));
      yield ']';
    });
  }

  #jobsOf(run: string, dice: Dice): unknown {
    const many = run.startsWith('made-up-many-jobs');
    const job = (n: number) => this.#job(`${run}-job-${n}`);
    if (run.startsWith('made-up-arguments'))
      return [0, 1, 2].map((n) => this.#longer(job(n), dice.size(1_000, this.#size.argumentBytes)));
    const jobs = manyItems(many ? this.#size.jobs : 3, (n) => JSON.stringify(job(n)));
    const done = (): void => void (this.#hasListedMany ||= many);
    return new Lazy(function* () {
      try {
        yield* jobs.pieces();
      } finally {
        // Sent whole, or the agent has read enough of it.
        done();
      }
    });
  }

  /** The same with arguments of so many bytes. */
  #longer(job: unknown, bytes: number): unknown {
    return { ...(isFields(job) && job), arguments: tuples(bytes) };
  }

  #job(uuid: string): Readonly<Record<string, unknown>> {
    const { instance, status } = this.#jobs.get(uuid) ?? { status: JOB_STATUS.CREATED, instance: null };
    return {
      uuid,
      run: uuid.replace(/-job-\d+$/, ''),
      function_name: 'stranger',
      arguments: `(${JSON.stringify(this.#started)}, '${uuid}', 1)`,
      status,
      instance,
      cost: null,
    };
  }

  #held(instance: string | null): readonly unknown[] {
    const held = [...this.#jobs].filter(
      ([, job]) => job.status === JOB_STATUS.IN_PROGRESS && job.instance === instance,
    );
    return held.map(([uuid]) => this.#job(uuid));
  }

  #functionOf(uuid: string, dice: Dice): unknown {
    const padding = uuid.includes('code') ? dice.size(1_000, this.#size.bytes) : 0;
    const code = new Lazy(function* () {
      yield JSON.stringify(STRANGER).slice(0, -1);
      yield* repeated('/', padding);
      yield '"';
    });
    return {
      uuid,
      name: uuid.includes('names') ? longText(dice.size(1_000, this.#size.bytes)) : 'stranger',
      code,
      runtime: 'node24',
      image: uuid.includes('image') ? uuid : IMAGE,
      registry_path: this.#pathOf(uuid, dice),
    };
  }

  #pathOf(uuid: string, dice: Dice): unknown {
    if (!uuid.includes('made-up-function-image')) return CPU_IMAGE;
    return longText(dice.size(10, this.#size.bytes), 'a/');
  }
}

/** Says which job it is, and ends. The comment at its end may be long. */
const STRANGER = `function handler([file, job]) {
  require('node:fs').appendFileSync(file, job + '\\n');
  return job;
} //`;

/** The agent comes to the worst first, and to the broker’s own runs before all. */
const BIDS: Readonly<Record<string, number>> = { arguments: 7, 'many-jobs': 6, plain: 0.11 };

function run(kind: string, name: string, bytes: number): Readonly<Record<string, unknown>> {
  const isLong = kind === 'parameters';
  return {
    uuid: `made-up-${kind}-${name}`,
    function: `made-up-function-${kind}-${name}`,
    base_gpu: kind === 'gpu' ? `made-up-gpu-${name}` : null,
    function_name: kind === 'names' ? longText(bytes) : 'stranger',
    base_gpu_name: kind === 'names' ? longText(bytes) : 'n/a',
    parameters: isLong ? tuples(bytes) : '((1,),)',
    num_jobs: kind === 'many-jobs' ? 1_000_000 : isLong ? Math.floor(bytes / 3) : 1,
    bid_price: BIDS[kind] ?? 5,
    created_at: TIME,
    current_server_time: TIME,
  };
}

/** `((),(),…)` as a string of so many bytes. */
function tuples(bytes: number): Lazy {
  return new Lazy(function* () {
    yield '"(';
    yield* repeated('(),', Math.floor(bytes / 3) * 3);
    yield ')"';
  });
}

function gpu(n: number) {
  return {
    uuid: `made-up-gpu-${n}`,
    name: `Stranger ${n}`,
    codename: `s${n}`,
    cuda_cores: n,
    is_available: true,
  };
}

const said = (value: unknown): Honest => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  text: JSON.stringify(value),
});

const whole = (value: unknown): Distortion => ({
  passOn: true,
  answer: () => ({
    status: 200,
    headers: [['Content-Type', 'application/json']],
    framing: 'chunked',
    end: 'whole',
    body: piecesOf(value),
  }),
});

/** Replaces a list by one that is made of the broker's own. */
const list = (make: (own: readonly unknown[]) => unknown): Distortion => ({
  passOn: true,
  answer: ({ status, text }) => {
    const own: unknown = status === 200 ? JSON.parse(text) : [];
    return whole(make(Array.isArray(own) ? own : [])).answer({ status, text, headers: {} });
  },
});
