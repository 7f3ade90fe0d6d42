import type { JobStatus } from '../../../src/embedded/broker/store/rows.ts';
import type { AgentProcess } from '../e2e/agent-process.ts';
import type { ChaosEnv } from './chaos-env.ts';
import type { ClaimFault } from './claim-proxy.ts';
import { LONG } from './length.ts';

/** One agent, from its start until it is killed. */
export type Life = {
  /** Where; see crashing-agent.ts. */
  readonly crash: string;
  /** A new job comes on the market before it, takes this many seconds, and is the one whose step it has to be. */
  readonly newJob?: number;
  /** The call that fails in this life. */
  readonly fail?: string;
  readonly claims?: ClaimFault;
  /** What happens from outside meanwhile; the job is the newest. */
  readonly meanwhile?: (chaos: ChaosEnv, job: string, agent: AgentProcess) => Promise<void> | void;
  /** What happens from outside before the next life. */
  readonly afterwards?: (chaos: ChaosEnv, job: string) => Promise<void> | void;
};

/** A way that a job can go, with a kill at each of its steps. After the last life comes one that nobody kills. */
export type Path = {
  readonly name: string;
  readonly lives: readonly Life[];
  /** Without `--once`: for what signals do to a daemon. */
  readonly daemon?: true;
  readonly leaseSeconds?: number;
  readonly jobTimeout?: string;
  /** How each job ends at the broker; undefined: it is gone there, so that nothing is to be reported. */
  readonly end: JobEnd | undefined;
  /** Whether a job may rightly start as often as the broker gives it to us, since its host gives it back. */
  readonly again?: true;
};

/** What the broker has to be told of a job. */
export type JobEnd = { readonly status: JobStatus; readonly result: string; readonly stdout: string };

/** The steps before and after each of these calls. */
export const around = (...steps: readonly string[]): readonly string[] =>
  steps.flatMap((step) => [`before ${step}`, `after ${step}`]);

/** As `around`, but in the short form once between every two steps, where nothing happens that could be lost. */
export const along = (...steps: readonly string[]): readonly string[] =>
  LONG ? around(...steps) : [...steps.map((step) => `before ${step}`), `after ${steps.at(-1)}`];

/** A life for each of these steps. */
export const lives = (crashes: readonly string[], more: Omit<Life, 'crash'> = {}): readonly Life[] =>
  crashes.map((crash) => ({ ...more, crash }));
