import type { SkipReason } from '../../domain/decide.ts';
import type { EngineIdentity } from '../../domain/engine-identity.ts';
import type { AgentError, ErrorCode } from '../../domain/errors.ts';
import type { GpuLabel } from '../../domain/gpu-cordon.ts';
import type { ReclaimedMemory } from '../../domain/gpu-memory.ts';
import type { Hold, Target } from '../../domain/hold.ts';
import type { EvictionReason } from '../../domain/image-eviction.ts';
import type { JobRecord, Report } from '../../domain/job.ts';
import type { Traffic } from '../../domain/network-use.ts';
import type { Offer } from '../../domain/offer.ts';
import type { OwnerCommand } from '../../domain/owner-command.ts';
import type { ClaimRejection } from '../../domain/ports/broker.ts';
import type { PriceChange } from '../../domain/ports/price-store.ts';
import type { PullStatus } from '../../domain/pull-status.ts';
import type { Run } from '../../domain/run.ts';
import type { Risk } from '../../domain/vulnerabilities.ts';
import type { HoldReason } from '../../pricing/strategy/strategy.ts';

/** What happens to GPUs. */
export type GpuEvent =
  | { readonly kind: 'gpu-cordoned'; readonly gpu: GpuLabel; readonly why: string; readonly hint: string }
  | { readonly kind: 'gpu-uncordoned'; readonly gpu: GpuLabel }
  /** Heat has slowed the GPU down for a minute; it goes on working. */
  | {
      readonly kind: 'gpu-throttled';
      readonly gpu: GpuLabel;
      readonly reasons: readonly string[];
      readonly temperatureC: number | undefined;
      readonly hint: string;
    }
  | { readonly kind: 'gpu-unthrottled'; readonly gpu: GpuLabel }
  /** nvidia-smi shows no GPU at all, so all are cordoned; `why` is its message. */
  | { readonly kind: 'gpu-probe-failed'; readonly why: string; readonly hint: string | undefined }
  | { readonly kind: 'gpu-probe-recovered' }
  /** Something that nvidia-smi says, or about a GPU that works; `gpu` is undefined where it names none that is known. */
  | {
      readonly kind: 'gpu-notice';
      readonly gpu: GpuLabel | undefined;
      readonly why: string;
      readonly hint: string;
    }
  /** An Xid that does not cordon its GPU; `gpu` is undefined where the bus id is of no known GPU. */
  | {
      readonly kind: 'gpu-xid';
      readonly gpu: GpuLabel | undefined;
      readonly busId: string;
      /** Undefined: the driver reported an error without an Xid. */
      readonly number: number | undefined;
      /** What it means; not the driver's text, which contains free text. */
      readonly why: string;
      readonly hint: string;
    }
  /** The owner has come to a GPU or has left it, or it is no longer known; `why` says by what. */
  | {
      readonly kind: 'presence-changed';
      readonly gpu: GpuLabel;
      readonly state: 'away' | 'here' | 'unknown';
      readonly why: string;
    }
  | { readonly kind: 'kernel-log-unavailable'; readonly why: string; readonly hint: string | undefined }
  /** A canary has ended; `why` is undefined where it passed. */
  | {
      readonly kind: 'gpu-canary';
      readonly gpu: GpuLabel;
      readonly why: string | undefined;
      readonly retryInMs: number | undefined;
    };

/** What happens at the status page. */
export type PageEvent =
  | { readonly kind: 'page-served'; readonly host: string; readonly port: number }
  /** The agent goes on without it; it is tried again in `retryInMs`. */
  | {
      readonly kind: 'page-not-served';
      readonly why: string;
      readonly hint: string;
      readonly retryInMs: number;
    }
  /** Somebody may look, or also control; `from` names the session and its address. */
  | {
      readonly kind: 'page-signed-in';
      readonly by: string;
      readonly from: string;
      readonly rights: readonly string[];
    }
  /** A link or password was refused; some of them only, where there are many. */
  | { readonly kind: 'page-sign-in-refused'; readonly from: string; readonly why: string }
  /** `all`: everybody was signed out. */
  | {
      readonly kind: 'page-signed-out';
      readonly by: string;
      readonly from: string;
      readonly all: boolean;
    };

/** What happens to asks. Prices are US dollars per job and minute. */
export type PriceEvent =
  /** The broker gets it next; `offer-price-updated` follows. */
  | ({ readonly kind: 'ask-changed' } & PriceChange)
  /** The owner has stopped all changes of asks. */
  | {
      readonly kind: 'asks-frozen';
      readonly by: string;
      readonly from: string;
      readonly note: string | undefined;
    }
  | { readonly kind: 'asks-unfrozen'; readonly by: string; readonly from: string }
  /** A strategy is not asked for now, or with undefined again; once per change. */
  | { readonly kind: 'ask-strategy-held'; readonly offer: string; readonly hold: HoldReason | undefined }
  /** A job costs more than the owner lets the offer ask, so none is taken. */
  | {
      readonly kind: 'floor-above-max';
      readonly offer: string;
      readonly floor: number;
      readonly max: number;
    };

/** What the owner does with images; `from` is the way by which they asked. */
export type OwnerImageEvent = { readonly by: string; readonly from: string } & (
  | { readonly kind: 'image-pinned'; readonly image: string }
  | { readonly kind: 'image-unpinned'; readonly image: string }
  /** `image-evicted` comes before it for each image. */
  | { readonly kind: 'images-collected'; readonly removed: number; readonly freedBytes: number }
);

/** How slow the calls of one kind to the engine are: `slow` of the last `of` calls, up to `maxMs` milliseconds. */
export type SlowCalls = {
  readonly call: string;
  readonly slow: number;
  readonly of: number;
  readonly maxMs: number;
};

/** What happened, for reporting only: the log, the systemd status and the dry run read it, nothing else. */
export type AgentEvent =
  | GpuEvent
  | PageEvent
  /** Journal and engine agree; `adopted` jobs go on. */
  | { readonly kind: 'recovery-completed'; readonly adopted: number }
  /** Another engine has the jobs from now on; `lost` is how many were started on the one before, and are released. */
  | {
      readonly kind: 'engine-changed';
      readonly from: EngineIdentity;
      readonly to: EngineIdentity;
      readonly lost: number;
    }
  /** The engine answers slowly; jobs run all the same. */
  | {
      readonly kind: 'engine-degraded';
      readonly why: string;
      readonly slow: readonly SlowCalls[];
      readonly hint: string;
    }
  | { readonly kind: 'engine-recovered' }
  /** Nothing is claimed because of this host; `blockedBy` names the checks. */
  | {
      readonly kind: 'claiming-paused';
      readonly blockedBy: readonly string[];
      readonly why: string;
      readonly hint: string | undefined;
    }
  | { readonly kind: 'claiming-resumed' }
  /** The owner has changed what may be used; the change is in force. */
  | {
      readonly kind: 'owner-command';
      readonly command: OwnerCommand;
      readonly by: string;
      readonly from: string;
    }
  /** The owner has GPUs back, or has been shown who uses them. */
  | {
      readonly kind: 'reclaim-ended';
      /** The jobs that were released. */
      readonly jobs: readonly string[];
      readonly gpus: readonly ReclaimedMemory[];
      /** Those that the engine has not ended yet, and why. */
      readonly left: readonly string[];
      readonly problem: { readonly why: string; readonly hint: string | undefined } | undefined;
      readonly tookMs: number;
    }
  /** A target takes no new jobs by the owner's wish; once per change of the reason. */
  | { readonly kind: 'target-held'; readonly target: Target; readonly hold: Hold }
  | { readonly kind: 'target-released'; readonly target: Target }
  /** A test container could not be run as jobs are, so nothing is claimed until another one passes. */
  | { readonly kind: 'test-container-failed'; readonly error: AgentError; readonly retryInMs: number }
  | { readonly kind: 'test-container-passed' }
  /** Several jobs in a row failed through this host; a test container runs in `retryInMs`. */
  | { readonly kind: 'engine-breaker-opened'; readonly error: AgentError; readonly retryInMs: number }
  /** Engine, broker or token is not usable yet; it is tried again in `retryInMs`. */
  | { readonly kind: 'startup-blocked'; readonly error: AgentError; readonly retryInMs: number }
  /** The open runs could not be polled, so often in a row; they are polled again in `retryInMs`. */
  | {
      readonly kind: 'polling-failed';
      readonly error: AgentError;
      readonly failures: number;
      readonly retryInMs: number;
    }
  /** The broker answers a poll after one that failed. */
  | { readonly kind: 'broker-reachable' }
  /** The known vulnerabilities of this host that matter to jobs, once per change. */
  | { readonly kind: 'vulnerabilities-checked'; readonly risks: readonly Risk[] }
  | { readonly kind: 'offer-registered'; readonly offer: Offer }
  | { readonly kind: 'offer-price-updated'; readonly offer: Offer; readonly before: number }
  /** It takes another number of jobs at once, because the owner keeps slots from jobs or no longer does. */
  | PriceEvent
  | OwnerImageEvent
  | { readonly kind: 'offer-resized'; readonly offer: Offer }
  | { readonly kind: 'offer-deregistered'; readonly offer: Offer; readonly why: string }
  | { readonly kind: 'run-skipped'; readonly offer: Offer; readonly run: Run; readonly reason: SkipReason }
  /** Runs that were skipped without an event each, because there were too many; how many, by reason. */
  | {
      readonly kind: 'runs-skipped';
      readonly offer: Offer;
      readonly reasons: Readonly<Partial<Record<SkipReason, number>>>;
    }
  | { readonly kind: 'job-claimed'; readonly offer: Offer; readonly run: Run; readonly job: string }
  | {
      readonly kind: 'claim-rejected';
      readonly offer: Offer;
      readonly job: string;
      readonly why: ClaimRejection;
    }
  /** The broker may have given the job; it is released. */
  | {
      readonly kind: 'claim-unanswered';
      readonly offer: Offer;
      readonly job: string;
      readonly error: AgentError;
    }
  | { readonly kind: 'image-ready'; readonly image: string; readonly tookMs: number }
  /** How far a pull is, from time to time. */
  | ({ readonly kind: 'image-pulling' } & PullStatus)
  /** No run needs the image any more. */
  | { readonly kind: 'image-pull-cancelled'; readonly image: string; readonly tookMs: number }
  | {
      readonly kind: 'image-failed';
      readonly image: string;
      readonly code: ErrorCode;
      readonly why: string;
      readonly hint: string;
      /** Docker's store on this host is the cause, so every image may fail. */
      readonly hostFault: boolean;
      readonly retryInMs: number;
    }
  /** The agent has removed an image of its own, which frees about so much; values are micro-dollars a day. */
  | {
      readonly kind: 'image-evicted';
      readonly image: string;
      readonly id: string;
      readonly freedBytes: number;
      readonly valuePerDay: number;
      readonly reason: EvictionReason;
    }
  | { readonly kind: 'job-started'; readonly job: JobRecord }
  | { readonly kind: 'job-adopted'; readonly job: JobRecord }
  | {
      readonly kind: 'job-ended';
      readonly job: JobRecord;
      readonly report: Report;
      readonly durationMs: number;
      /** US dollars, estimated until the broker has accepted the report. */
      readonly earned: number;
      /** Null: not known. */
      readonly traffic: Traffic | null;
    }
  | { readonly kind: 'job-cancelled'; readonly job: JobRecord; readonly why: string }
  /** The journal says `releasing`: the reporter delivers the release. */
  | { readonly kind: 'job-release-queued'; readonly job: JobRecord; readonly why: string }
  /** The broker has accepted the release. */
  | { readonly kind: 'job-released'; readonly job: JobRecord }
  /** The container of a job that is over cannot be removed; `orphans` counts all of them. */
  | {
      readonly kind: 'container-removal-failed';
      readonly container: string;
      readonly job: string;
      readonly why: string;
      readonly hint: string | undefined;
      readonly orphans: number;
    }
  | {
      readonly kind: 'container-removed';
      readonly container: string;
      readonly job: string;
      readonly orphans: number;
    }
  | { readonly kind: 'report-delivered'; readonly job: JobRecord; readonly earned: number }
  | { readonly kind: 'report-refused'; readonly job: JobRecord; readonly why: string };

/** Takes events; must not throw. */
export type Observer = (event: AgentEvent) => void;
