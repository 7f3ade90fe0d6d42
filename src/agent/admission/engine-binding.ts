import { type EngineIdentity, isSameEngine, mayReplace } from '../../domain/engine-identity.ts';
import { AgentError } from '../../domain/errors.ts';
import type { JobRecord } from '../../domain/job.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { Observer } from '../events/events.ts';

/** The states of jobs that may have a container that was started. */
const STARTED_STATES = ['starting', 'running', 'cancelling'] as const;

export type EngineBindingDeps = {
  readonly journal: Pick<Journal, 'engine' | 'rememberEngine' | 'inState'>;
  readonly runtime: Pick<Runtime, 'identity' | 'list'>;
  /** Whether none of these containers runs on this machine; false: not known. */
  readonly noneRuns: (containers: readonly string[]) => boolean;
  readonly observe: Observer;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/**
 * Binds the started jobs to the engine that has their containers: what another engine knows nothing of has not vanished, and
 * must not be started again while it runs on unwatched.
 */
export class EngineBinding {
  readonly #deps: EngineBindingDeps;
  /** How often the engine was in doubt, and how many of these doubts a confirmation has settled. */
  #doubts = 1;
  #settled = 0;

  constructor(deps: EngineBindingDeps) {
    this.#deps = deps;
  }

  /** The engine was unreachable, so another one may answer next. */
  doubt(): void {
    this.#doubts += 1;
  }

  /** As `confirm`, where the engine was unreachable since. */
  async confirmIfDoubtful(): Promise<void> {
    if (this.#settled < this.#doubts) await this.confirm();
  }

  /**
   * Throws ENGINE_CHANGED where started jobs have their containers on another engine than the one that answers now. Else the
   * jobs belong to this one from now on.
   */
  async confirm(): Promise<void> {
    const { journal, observe, runtime, signal } = this.#deps;
    // One that comes meanwhile may be about the engine that answers next.
    const doubts = this.#doubts;
    const now = await runtime.identity?.(signal);
    if (now === undefined) return;
    const before = journal.engine();
    if (before === undefined) {
      journal.rememberEngine(now);
    } else if (!isSameEngine(before, now)) {
      const missing = await this.#missing();
      if (missing.length > 0 && !this.#isReplaced(before, now, missing))
        throw engineChanged(before, now, missing.length);
      journal.rememberEngine(now);
      observe({ kind: 'engine-changed', from: before, to: now, lost: missing.length });
    }
    this.#settled = Math.max(this.#settled, doubts);
  }

  /** The started jobs whose containers are not here; none if any is, since all are on one engine. */
  async #missing(): Promise<readonly JobRecord[]> {
    const started = this.#deps.journal.inState(...STARTED_STATES);
    const here = new Set((await this.#deps.runtime.list()).map(({ job }) => job));
    return started.some(({ uuid }) => here.has(uuid)) ? [] : started;
  }

  /** Whether the engine was replaced at the same socket, and nothing of the jobs runs on this machine any more. */
  #isReplaced(before: EngineIdentity, now: EngineIdentity, missing: readonly JobRecord[]): boolean {
    const containers = missing.flatMap(({ state }) => ('container' in state ? [state.container] : []));
    return mayReplace(before, now) && this.#deps.noneRuns(containers);
  }
}

function engineChanged(before: EngineIdentity, now: EngineIdentity, jobs: number): AgentError {
  // An engine that had this very address cannot be chosen by it.
  const choose =
    before.endpoint === now.endpoint
      ? ''
      : `start the agent with --docker-host ${before.endpoint} until these jobs have ended; `;
  const count = `${jobs} started job${jobs === 1 ? '' : 's'}`;
  return new AgentError(
    'ENGINE_CHANGED',
    `the containers of ${count} are on another Docker engine: ${named(before)}, and this one is ${named(now)}`,
    {
      hint: `${choose}if that engine no longer exists, stop the agent and run \`sharedcloud-agent agent-moved\` with its options`,
    },
  );
}

function named({ dataRoot, endpoint, id }: EngineIdentity): string {
  return `${endpoint} (id ${id ?? 'unknown'}, data in ${dataRoot ?? 'an unknown directory'})`;
}
