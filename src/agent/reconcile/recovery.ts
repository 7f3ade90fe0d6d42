import { type JobRecord, SLOT_STATES } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FoundContainer, Runtime } from '../../domain/ports/runtime.ts';
import { waitAtMost } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import type { OrphanContainers } from '../jobs/orphan-containers.ts';

/** What recovery does with one job or container. */
export type RecoveryStep =
  | { readonly kind: 'adopt'; readonly job: JobRecord; readonly container: FoundContainer }
  | { readonly kind: 'release'; readonly job: JobRecord; readonly why: string }
  | { readonly kind: 'end-cancel'; readonly job: JobRecord }
  | { readonly kind: 'remove'; readonly container: FoundContainer; readonly why: string };

/**
 * Compares the journal's open jobs with the containers that are there. Pure.
 * What is `claiming` or `claimed` never started: it is released. What is `starting` or `running` is adopted with its
 * container, whether that still waits for its start, runs or has ended. All other containers are removed.
 */
export function planRecovery(
  jobs: readonly JobRecord[],
  containers: readonly FoundContainer[],
): readonly RecoveryStep[] {
  const byJob = new Map(containers.map((container) => [container.job, container]));
  const steps = jobs.flatMap((job): readonly RecoveryStep[] => {
    const container = byJob.get(job.uuid);
    switch (job.state.name) {
      case 'claiming':
        return [{ kind: 'release', job, why: 'the agent stopped before the claim was answered' }];
      case 'claimed':
        return [{ kind: 'release', job, why: 'the agent stopped before the job started' }];
      case 'running':
        if (container?.state === 'created') return [{ kind: 'release', job, why: 'it never ran here' }];
        return adoptOrRelease(job, container);
      case 'starting':
        return adoptOrRelease(job, container);
      case 'cancelling':
        return [{ kind: 'end-cancel', job }];
      default:
        return [];
    }
  });
  const adopted = new Set(steps.flatMap((step) => (step.kind === 'adopt' ? [step.container.id] : [])));
  const removals = containers
    .filter((container) => !adopted.has(container.id))
    .map(
      (container): RecoveryStep => ({
        kind: 'remove',
        container,
        why: `no open job ${container.job}`,
      }),
    );
  return [...removals, ...steps];
}

function adoptOrRelease(job: JobRecord, container: FoundContainer | undefined): readonly RecoveryStep[] {
  if (container !== undefined) return [{ kind: 'adopt', job, container }];
  return [{ kind: 'release', job, why: 'its container has vanished' }];
}

/** A job whose container is here: the job runner reattaches to it. */
export type Adoption = { readonly job: JobRecord; readonly container: FoundContainer };

export type RecoveryDeps = {
  readonly journal: Pick<Journal, 'endNetworkUses' | 'inState' | 'transition'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly runtime: Pick<Runtime, 'probe' | 'list'>;
  readonly orphanContainers: Pick<OrphanContainers, 'remove'>;
  readonly files: Pick<JobFiles, 'list' | 'remove'>;
  readonly log: Log;
  readonly observe: Observer;
  /** Notified when the journal has releases for the broker. */
  readonly reportPending: Notifier;
  readonly signal: AbortSignal;
};

/**
 * Makes journal and engine agree after a start; no job is claimed before. Releases are only written to the journal:
 * the reporter delivers them. Throws where the engine does not answer or cannot run jobs; may be called again then.
 */
export async function recover(deps: RecoveryDeps): Promise<readonly Adoption[]> {
  const { clock, files, journal, log, runtime, signal } = deps;
  releaseUnstarted(deps);
  log.info({ event: 'runtime-ready', runtime: await runtime.probe(signal) }, 'runtime ready');
  const open = journal.inState(...SLOT_STATES);
  const adoptions: Adoption[] = [];
  const steps = planRecovery(open, await runtime.list());
  await removeOrphans(deps, steps);
  for (const step of steps) {
    if (step.kind === 'remove') continue;
    if (step.kind === 'release') {
      queueRelease(deps, step);
    } else if (step.kind === 'end-cancel') {
      const why = step.job.state.name === 'cancelling' ? step.job.state.why : 'cancelled';
      journal.transition(step.job.uuid, { name: 'dropped', why });
    } else {
      adoptions.push({ job: step.job, container: step.container });
    }
  }
  // Or a letter about an address would find a job that had it before.
  journal.endNetworkUses(
    adoptions.map(({ container }) => container.id),
    clock.now(),
  );
  const adopted = new Set(adoptions.map(({ job }) => job.uuid));
  for (const job of await files.list()) if (!adopted.has(job)) await files.remove(job);
  return adoptions;
}

/** Does not wait for the engine: while it is unreachable, buyers would wait for jobs that never started. */
function releaseUnstarted(deps: RecoveryDeps): void {
  for (const step of planRecovery(deps.journal.inState('claiming', 'claimed'), [])) {
    if (step.kind === 'release') queueRelease(deps, step);
  }
  deps.reportPending.notify();
}

function queueRelease(
  { journal, observe }: RecoveryDeps,
  { job, why }: RecoveryStep & { readonly kind: 'release' },
): void {
  observe({ kind: 'job-release-queued', job: journal.transition(job.uuid, { name: 'releasing', why }), why });
}

/**
 * Removes the containers that no job needs. Recovery waits for those that have ended only so long that a healthy engine
 * removes them, and for those that run until the removal has failed.
 */
async function removeOrphans(
  { orphanContainers, log, signal }: RecoveryDeps,
  steps: readonly RecoveryStep[],
): Promise<void> {
  const remove = async ({ id, job }: FoundContainer, why: string): Promise<void> => {
    if (!(await orphanContainers.remove({ container: id, job }))) return;
    log.info({ event: 'orphan-removed', container: id, why }, 'orphaned container removed');
  };
  const removals = steps.flatMap((step) => {
    if (step.kind !== 'remove') return [];
    const removal = remove(step.container, step.why);
    return [step.container.state === 'exited' ? waitAtMost(ORPHAN_MS, removal, signal) : removal];
  });
  await Promise.all(removals);
}

/** How long recovery waits for the removal of containers that have ended, in milliseconds. */
const ORPHAN_MS = 5_000;
