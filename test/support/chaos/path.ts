import type { JobStateName } from '../../../src/domain/job.ts';
import type { Broker } from '../../../src/domain/ports/broker.ts';
import type { DecisionStore } from '../../../src/domain/ports/decision-store.ts';
import type { JobFiles } from '../../../src/domain/ports/job-files.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import type { Images, Runtime } from '../../../src/domain/ports/runtime.ts';
import type { JobStatus } from '../../../src/embedded/broker/store/rows.ts';
import type { AgentProcess } from '../e2e/agent-process.ts';
import type { Fault } from '../faults/http-proxy.ts';
import type { ChaosEnv } from './chaos-env.ts';
import { LONG } from './length.ts';

/** A call of the agent to one of its ports; of the journal's transitions each state has its own. */
export type Call =
  | `broker.${keyof Broker}`
  | `runtime.${keyof Runtime}`
  | `images.${keyof Images}`
  | `files.${keyof JobFiles}`
  | `decisions.${keyof DecisionStore}`
  | Exclude<`journal.${keyof Journal}`, 'journal.transition'>
  | `journal.transition ${JobStateName}`;
export type Step = `${'before' | 'after'} ${Call}`;
/** Where an agent kills itself: at a step, or at the second after it has passed the first; see crashing-agent.ts. */
export type Crash = Step | `${Step}, ${Step}`;

/** One agent, from its start until it is killed. */
export type Life = {
  readonly crash: Crash;
  /** A new job comes on the market before it, takes this many seconds, and is the one whose step it has to be. */
  readonly newJob?: number;
  /** The call that fails in this life. */
  readonly fail?: Call;
  /** What happens to claims while it lasts. */
  readonly claims?: Fault;
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

/** What has to be reported of a job. */
export type JobEnd = { readonly status: JobStatus; readonly result: string; readonly stdout: string };

/** The steps before and after each of these calls. */
export const around = (...calls: readonly Call[]): readonly Step[] =>
  calls.flatMap((call): readonly Step[] => [`before ${call}`, `after ${call}`]);

/** As `around`, but in the short form once between every two calls, where nothing happens that could be lost. */
export const along = (...calls: readonly Call[]): readonly Step[] =>
  LONG
    ? around(...calls)
    : around(...calls).filter((step, index, all) => step.startsWith('before') || index === all.length - 1);

/** A crash at each of these steps, once the first was passed. */
export const once = (first: Step, steps: readonly Step[]): readonly Crash[] =>
  steps.map((step): Crash => `${first}, ${step}`);

/** A life for each of these crashes. */
export const lives = (crashes: readonly Crash[], more: Omit<Life, 'crash'> = {}): readonly Life[] =>
  crashes.map((crash) => ({ ...more, crash }));
