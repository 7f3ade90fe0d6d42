import { LeaseReconciler, type LeaseReconcilerDeps } from '../../../src/agent/reconcile/lease-reconciler.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord, type JobState } from '../../../src/domain/job.ts';
import type { Listed } from '../../../src/domain/ports/broker.ts';
import { aNewJob, listed } from '../domain.ts';
import { logInto } from '../log/log-into.ts';

/** A job of this host, claimed under an instance. */
export const recordOf = (uuid: string, state: JobState, instance = 'instance-1'): JobRecord => ({
  ...aNewJob(),
  uuid,
  instance,
  claimedAt: 0,
  updatedAt: 0,
  state,
});

/** A job as the broker has it. */
const theirs = (uuid: string, more: Partial<BrokerJob> = {}): BrokerJob => ({
  uuid,
  run: 'run-1',
  status: JOB_STATUS.IN_PROGRESS,
  instance: 'instance-1',
  leaseSeconds: undefined,
  cost: undefined,
  ...more,
});

/** What the broker thinks is here. */
export const listOf = (...uuids: string[]): Listed<BrokerJob> => listed(uuids.map((uuid) => theirs(uuid)));

type Scene = Partial<LeaseReconcilerDeps['broker']> & {
  readonly lease?: number;
  readonly offered?: string[];
  /** Recovery goes on until the test says that it is over. */
  readonly recovering?: boolean;
};

/**
 * A reconciler at work, of an offer and the jobs that are open here, and when it asked, in seconds, also by instance. `jobs` is the
 * journal, which may change meanwhile; a broker that has no other answer assigns nothing here.
 */
export function atWork(jobs: JobRecord[], scene: Scene = {}) {
  const began = Date.now();
  const asked: number[] = [];
  const askedOf = new Map<string, number[]>();
  const cancelled: string[] = [];
  const log: string[] = [];
  const written: number[] = [];
  const seen = { refused: 0 };
  const end = new AbortController();
  const named = (names: readonly string[]): JobRecord[] =>
    jobs.filter(({ state }) => names.includes(state.name));
  const unasked = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const reconciler = new LeaseReconciler({
    broker: {
      heldJobs: (instance, signal) => {
        asked.push((Date.now() - began) / 1000);
        askedOf.set(instance, [...(askedOf.get(instance) ?? []), (Date.now() - began) / 1000]);
        return (
          scene.heldJobs?.(instance, signal) ??
          Promise.resolve(listOf(...named(['running']).map(({ uuid }) => uuid)))
        );
      },
      job: scene.job ?? unasked,
      release: scene.release ?? unasked,
    },
    journal: {
      get: (uuid) => jobs.find((job) => job.uuid === uuid),
      inState: (...names) => named(names),
      uuidsIn: (...names) => named(names).map(({ uuid }) => uuid),
      instancesOf: (...names) => [...new Set(named(names).map(({ instance }) => instance))],
      leaseSeconds: () => scene.lease,
      rememberLease: (seconds) => void written.push(seconds),
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    log: logInto(log),
    random: () => 1,
    cancel: (job) => void cancelled.push(job),
    onRefused: () => void (seen.refused += 1),
  });
  if (scene.recovering !== true) reconciler.recovered();
  const working = reconciler.work(() => scene.offered ?? ['instance-1'], end.signal);
  return {
    reconciler,
    asked,
    askedOf,
    cancelled,
    log,
    written,
    seen,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await working;
    },
  };
}
