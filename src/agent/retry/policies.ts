import type { BackoffShape } from '../../lib/backoff.ts';
import type { BackoffMap } from '../../lib/backoff-map.ts';

/** How long to wait between tries, and when to stop. */
export type RetryPolicy = BackoffShape & {
  /** No try begins later than this after the first, in milliseconds; without it tries never end. */
  readonly giveUpAfterMs?: number;
  /** `start --once` waits for another try after so many failures in a row, and goes on without it after more. */
  readonly onceFailures?: number;
};

/**
 * Every wait between two tries of the agent; see docs/broker.md. A wait doubles from `initialMs` to `maxMs`, less up to
 * half of it by chance. A broker that asks for more time (Retry-After) gets it.
 */
export const RETRY = {
  // Calls to the broker
  startup: { initialMs: 1_000, maxMs: 60_000 },
  startupOnce: { initialMs: 200, maxMs: 5_000, giveUpAfterMs: 60_000 },
  pollRuns: { initialMs: 1_000, maxMs: 60_000 },
  pollRunsOnce: { initialMs: 200, maxMs: 5_000 },
  /** A poll of the whole market, which nothing waits for; and what others ask. */
  marketPoll: { initialMs: 60_000, maxMs: 900_000 },
  lookUp: { initialMs: 500, maxMs: 60_000, onceFailures: 5 },
  /** A function or image that the broker does not know: a gateway may have said so. */
  lookUpNotFound: { initialMs: 5_000, maxMs: 600_000 },
  claim: { initialMs: 200, maxMs: 5_000, giveUpAfterMs: 30_000 },
  report: { initialMs: 500, maxMs: 300_000 },
  /** The content of a report was refused, other than for its size: a broker that is being repaired may say so. */
  reportContent: { initialMs: 4_000, maxMs: 300_000 },
  /** An offer that is registered again, and an image that is announced. */
  updateOffer: { initialMs: 500, maxMs: 60_000, giveUpAfterMs: 60_000 },

  // Runs that are left alone; nothing is taken off these waits
  /** Jobs could not be listed, or were all claimed by others. */
  listJobs: { initialMs: 500, maxMs: 30_000, onceFailures: 5 },
  noOpenJobs: { initialMs: 10_000, maxMs: 60_000 },
  claimRefused: { initialMs: 15_000, maxMs: 900_000 },
  hostFault: { initialMs: 20_000, maxMs: 900_000, onceFailures: 1 },

  // This host
  pullImage: { initialMs: 2_000, maxMs: 600_000, onceFailures: 3 },
  /** The image is missing, private, for another platform or against the owner's rules. */
  pullImageRefused: { initialMs: 600_000, maxMs: 600_000 },
  /** The registry limits pulls and names no wait; Docker Hub counts by six hours. Then none of its images is pulled. */
  pullRateLimited: { initialMs: 900_000, maxMs: 3_600_000 },
  /** Docker's store of images is damaged or full: an image could not be pulled, or no container be made of it. */
  pullStoreFault: { initialMs: 60_000, maxMs: 1_800_000 },
  /** An image whose containers cannot be started here, other than by a fault of Docker's store. */
  unstartableImage: { initialMs: 600_000, maxMs: 86_400_000 },
  engineCall: { initialMs: 500, maxMs: 15_000 },
  engineCheck: { initialMs: 500, maxMs: 2_000 },
  stateDirWrite: { initialMs: 500, maxMs: 2_000 },
  /** A container that could not be removed; an engine that was restarted is asked at once. */
  removeOrphan: { initialMs: 30_000, maxMs: 3_600_000 },
  /** A test container after one that failed: the engine cannot run jobs. */
  testContainer: { initialMs: 5_000, maxMs: 300_000 },
  /** A test container where the last ones have passed and jobs fail all the same. */
  reopenedBreaker: { initialMs: 600_000, maxMs: 3_600_000 },
  /** A canary on a GPU after one that failed; the first one runs at once. */
  canary: { initialMs: 60_000, maxMs: 900_000 },
  /** The search for GPUs while this host has nothing to offer. */
  planOffers: { initialMs: 60_000, maxMs: 60_000 },
  kernelLog: { initialMs: 1_000, maxMs: 60_000 },
  /** The processes on GPUs, which decide whether their owner is here. */
  gpuProcesses: { initialMs: 1_000, maxMs: 30_000 },
  /** A notification that its target did not take. */
  notify: { initialMs: 5_000, maxMs: 900_000 },
  verifyNetwork: { initialMs: 60_000, maxMs: 1_800_000 },
} as const satisfies Readonly<Record<string, RetryPolicy>>;

/** After the broker has refused the token. A new token is noticed sooner. */
export const UNAUTHORIZED_RETRY_MS = 60_000;

/** Whether `start --once` waits for one of these keys, each of which failed under a policy. */
export function isOnceWaiting(failed: BackoffMap<Pick<RetryPolicy, 'onceFailures'>>): boolean {
  return failed.isAnyWaiting(({ failure, failures }) => failures <= (failure.onceFailures ?? 0));
}
