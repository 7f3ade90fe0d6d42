import type { Mutation } from '../../scripts/mutations/mutation.ts';

const RECONCILER = 'src/agent/reconcile/lease-reconciler.ts';
const RECONCILER_TEST = 'test/unit/agent/reconcile/lease-reconciler.test.ts';
const UNDELAYED_TEST = 'test/unit/agent/reconcile/lease-reconciler-concurrency.test.ts';
const LEASES_TEST = 'test/contract/agent/leases.test.ts';

/** What keeps the leases of jobs, and jobs that the broker seems to have taken back. */
export const LEASES: readonly Mutation[] = [
  {
    protection: 'a lease outlives a restart',
    file: RECONCILER,
    text: 'this.lease(this.#deps.journal.leaseSeconds());',
    becomes: 'this.lease(undefined);',
    test: { file: RECONCILER_TEST, name: 'is known again after a restart, while jobs from before are open' },
  },
  {
    protection: 'a job keeps its lease until its report is taken',
    file: RECONCILER,
    text: "[...HELD_STATES, 'finished'] as const",
    becomes: '[...HELD_STATES] as const',
    test: {
      file: RECONCILER_TEST,
      name: 'of a job whose report is pending is renewed, also where its offer is not registered',
    },
  },
  {
    protection: 'a lease is kept while the token is replaced, whether polling fails or not',
    file: RECONCILER,
    text: "if (error.code === 'BROKER_UNAUTHORIZED') this.#deps.onRefused();",
    becomes: '',
    test: { file: LEASES_TEST, name: 'while the agent drains, a token that is replaced costs no lease' },
  },
  {
    protection: 'no lease waits for an answer about a single job',
    file: RECONCILER,
    text: 'begin(job.uuid, () => this.#confirmLoss(job, this.#inTime(signal)));',
    becomes: 'await this.#confirmLoss(job, this.#inTime(signal));',
    test: { file: UNDELAYED_TEST, name: 'holds back no renewal of a lease of %i s' },
  },
  {
    protection: 'no job is stopped or released before recovery is over',
    file: RECONCILER,
    text: 'if (!this.#isRecovered) return list.busyMs;',
    becomes: '',
    test: {
      file: UNDELAYED_TEST,
      name: 'leases are renewed, and no job is looked up, stopped or released; that comes at once then',
    },
  },
  {
    protection: 'no job is stopped by an answer about an earlier claim of it',
    file: RECONCILER,
    text: 'now?.claimedAt !== record.claimedAt ||',
    becomes: 'now === undefined ||',
    test: {
      file: UNDELAYED_TEST,
      name: 'the answer about an earlier claim of a job does not stop the one of now',
    },
  },
  {
    protection: 'what never started here waits for no engine',
    file: 'src/agent/reconcile/recovery.ts',
    text: '  releaseUnstarted(deps);',
    becomes: '',
    test: {
      file: LEASES_TEST,
      name: 'a claimed job that never started goes back to the market, although the engine is unreachable at the start',
    },
  },
  {
    protection: 'no job is released on an old answer',
    file: RECONCILER,
    text: 'held.filter((job) => !open.has(job.uuid))',
    becomes: 'held.filter((job) => open.size > -1 && job.uuid.length > 0)',
    test: {
      file: RECONCILER_TEST,
      name: 'a job that was open here when the broker was asked is not released by its old answer',
    },
  },
  {
    protection: 'no job is stopped because an answer was garbled',
    file: RECONCILER,
    text: 'new Set([...held, ...invalid]',
    becomes: 'new Set([...held]',
    test: {
      file: RECONCILER_TEST,
      name: 'an item that cannot be read stops no job and releases none, and is logged once',
    },
  },
];
