import { JOB_STATUS } from '../../../src/domain/job.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';

/** Most jobs of a soak go well. */
const OUTCOMES = ['success', 'success', 'success', 'exception', 'exit'] as const;

/** A job of a soak: what it does, and what has to be reported of it. */
export type SoakJob = {
  readonly number: number;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly seconds: number;
};

/** When and how an agent ends. */
export type SoakEnd = {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  /** Whether the time counts from its first word, or from the moment that its process is made. */
  readonly from: 'first-word' | 'spawn';
  readonly afterMs: number;
};

/** What a function of a soak does with a job's arguments. */
export const SOAK_FUNCTION = `import sys
import time


def handler(event):
    number, outcome, seconds = event
    print('job', number)
    time.sleep(seconds)
    if outcome == 'exception':
        raise ValueError('number {}'.format(number))
    if outcome == 'exit':
        sys.exit(7)
    return 'result {}'.format(number)
`;

/** All that is random about a soak; the same seed, the same plan. */
export class SoakPlan {
  readonly #jobs: SeededRandom;
  readonly #ends: SeededRandom;
  readonly #maxSeconds: number;
  #number = 0;

  constructor(seed: number, maxSeconds: number) {
    // Each of its own, so that how many agents it takes changes nothing about the jobs.
    this.#jobs = new SeededRandom(seed);
    this.#ends = new SeededRandom(seed ^ 0x5eed);
    this.#maxSeconds = maxSeconds;
  }

  nextJob(): SoakJob {
    this.#number += 1;
    const outcome = this.#jobs.oneOf(OUTCOMES);
    const seconds = Math.round(this.#jobs.between(0, this.#maxSeconds) * 100) / 100;
    return { number: this.#number, outcome, seconds };
  }

  nextEnd(): SoakEnd {
    return {
      signal: this.#ends.next() < 0.15 ? 'SIGTERM' : 'SIGKILL',
      from: this.#ends.next() < 0.2 ? 'spawn' : 'first-word',
      afterMs: Math.round(this.#ends.between(1_000, 2_000)),
    };
  }
}

/** The job's arguments as the run's parameters have them. */
export function argumentsOf({ number, outcome, seconds }: SoakJob): string {
  return `(${number}, '${outcome}', ${seconds})`;
}

/** What is wrong with a job's report; undefined: nothing. */
export function whatIsWrong(
  { number, outcome }: SoakJob,
  said: {
    readonly status: number;
    readonly stdout: string;
    readonly stderr: string;
    readonly result: string;
  },
): string | undefined {
  const succeeds = outcome === 'success';
  const status = succeeds ? JOB_STATUS.SUCCEEDED : JOB_STATUS.FAILED;
  const result = succeeds ? `result ${number}` : '';
  const why = { success: '', exception: `ValueError: number ${number}`, exit: 'exit code 7' }[outcome];
  if (said.status !== status) return `status ${said.status} instead of ${status}: ${said.stderr}`;
  if (said.result !== result) return `result ‘${said.result}’ instead of ‘${result}’`;
  if (said.stdout !== `job ${number}\n`) return `stdout ‘${said.stdout}’`;
  return said.stderr.includes(why) ? undefined : `stderr without ‘${why}’: ${said.stderr}`;
}
