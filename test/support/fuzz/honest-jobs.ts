import { existsSync, readFileSync } from 'node:fs';
import { JOB_STATUS, SLOT_STATES } from '../../../src/domain/job.ts';
import type { BrokerStore } from '../../../src/embedded/broker/store/store.ts';
import { type JournalReader, readJournal } from '../../../src/journal/open-journal.ts';
import { CPU_IMAGE } from '../domain.ts';

/** Says which job it is, takes a moment, and returns its number so many times. Every fourth takes longer. */
const honest = (times: number): string => `function handler([file, name, number]) {
  require('node:fs').appendFileSync(file, name + '\\n');
  return new Promise((done) => setTimeout(() => done(number * ${times}), number % 4 === 3 ? 800 : 100));
}`;

type HonestJob = {
  readonly run: string;
  /** The ids of what its outcome depends on. */
  readonly concerns: readonly string[];
  /** What it says when it starts. */
  readonly name: string;
  readonly result: string;
};

/** Jobs whose outcome is known: each is run once and paid for. */
export class HonestJobs {
  readonly #store: BrokerStore;
  readonly #started: string;
  /** By their uuid. */
  readonly #jobs = new Map<string, HonestJob>();
  readonly #exempt = new Set<string>();
  readonly #reports = new Map<string, number>();
  readonly #claims = new Map<string, number>();

  constructor(store: BrokerStore, started: string) {
    this.#store = store;
    this.#started = started;
    store.onEvent((event) => {
      if (event.kind === 'reported') count(this.#reports, event.job.uuid);
      if (event.kind === 'claimed') count(this.#claims, event.job.uuid);
    });
  }

  get count(): number {
    return this.#jobs.size;
  }

  /** Of how many nothing is expected any more. */
  get exempted(): number {
    return this.#exempt.size;
  }

  /** Puts a run of so many jobs on the market. */
  add(jobs: number): void {
    const first = this.#jobs.size;
    const numbers = Array.from({ length: jobs }, (_, index) => first + index);
    const tuples = numbers.map((number) => `('${this.#started}', 'honest-${number}', ${number})`);
    // Each run has its own of all: what is false about one is about no other, and a mix-up shows in the results.
    const image = this.#store.addImage({ registryPath: CPU_IMAGE, requiresGpu: false, runtime: 'node24' });
    const fn = this.#store.addFunction({ name: 'honest', code: honest(first + 2), image });
    const run = this.#store.addRun({ function: fn, parameters: `(${tuples.join(', ')},)`, bidPrice: 9 });
    for (const [index, { uuid }] of this.#store.jobsOf(run).entries()) {
      const number = first + index;
      const concerns = [uuid, run, fn, image];
      this.#jobs.set(uuid, { run, concerns, name: `honest-${number}`, result: String(number * (first + 2)) });
    }
  }

  /** Nothing is expected any more of the runs that false answers were about, which go off the market. */
  exempt(lies: ReadonlySet<string>): void {
    const concerned = [...this.#jobs.values()].filter(({ concerns }) => concerns.some((id) => lies.has(id)));
    const runs = new Set(concerned.map(({ run }) => run));
    for (const [job, { run }] of this.#jobs) if (runs.has(run)) this.#exempt.add(job);
    for (const run of runs) this.#store.deleteRun(run, { evenInProgress: true });
  }

  /** Whether all of them are reported. */
  get areDone(): boolean {
    return this.#expected().every(([uuid]) => (this.#reports.get(uuid) ?? 0) > 0);
  }

  /** What is wrong with each that is not done well and paid for, once. */
  problems(): string[] {
    return this.#expected().flatMap(([uuid, { name, result }]) => {
      const row = this.#store.job(uuid);
      const reports = this.#reports.get(uuid) ?? 0;
      const isGood = row?.status === JOB_STATUS.SUCCEEDED && row.result === result && row.cost !== null;
      if (isGood && reports === 1) return [];
      const stderr = row?.stderr.slice(-200);
      return [
        `${name} (${uuid}): status ${row?.status}, result ${row?.result}, cost ${row?.cost}, ${reports} reports, ${stderr}`,
      ];
    });
  }

  /** Whether the agent with this state directory has run all of them, and may still have to report them. */
  haveRun(stateDir: string): boolean {
    return inspect(stateDir, (journal) => {
      const isOver = this.#expected().every(([uuid]) => journal.get(uuid) !== undefined);
      return isOver && journal.uuidsIn(...SLOT_STATES).length === 0;
    });
  }

  /** What the journal says otherwise than the broker. */
  booksDiffer(stateDir: string): readonly string[] {
    return inspect(stateDir, (journal) =>
      this.#expected().flatMap(([uuid, { name }]) => {
        const state = journal.get(uuid)?.state;
        const isPaid = state?.name === 'reported' && state.status === JOB_STATUS.SUCCEEDED;
        return isPaid ? [] : [`${name}: ${state?.name} in the journal`];
      }),
    );
  }

  /** The jobs that were started more often than they were given to the agent; `others` are those of strangers. */
  startedTooOften(others: ReadonlyMap<string, number> = new Map()): readonly string[] {
    const starts = new Map<string, number>();
    const lines = existsSync(this.#started) ? readFileSync(this.#started, 'utf8').split('\n') : [];
    for (const line of lines) if (line !== '') count(starts, line);
    const claims = new Map([
      ...others,
      ...[...this.#jobs].map(([uuid, { name }]) => [name, this.#claims.get(uuid) ?? 0] as const),
    ]);
    return [...starts].flatMap(([name, times]) => {
      const claimed = claims.get(name) ?? 0;
      return times <= claimed ? [] : [`${name}: started ${times} times, claimed ${claimed} times`];
    });
  }

  #expected() {
    return [...this.#jobs].filter(([uuid]) => !this.#exempt.has(uuid));
  }
}

function count(times: Map<string, number>, what: string): void {
  times.set(what, (times.get(what) ?? 0) + 1);
}

function inspect<T>(stateDir: string, read: (journal: JournalReader) => T): T {
  const journal = readJournal(stateDir);
  if (journal === undefined) throw new Error('the agent has made no journal');
  try {
    return read(journal);
  } finally {
    journal.close();
  }
}
