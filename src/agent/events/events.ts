import type { SkipReason } from '../../domain/decide.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { GpuName } from '../../domain/gpu-cordon.ts';
import type { JobRecord, Report } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Run } from '../../domain/run.ts';

/** What happens to the GPUs themselves. */
export type GpuEvent =
  | { readonly kind: 'gpu-cordoned'; readonly gpu: GpuName; readonly why: string; readonly hint: string }
  | { readonly kind: 'gpu-uncordoned'; readonly gpu: GpuName }
  /** No GPU can be seen, so that none gets new jobs; and then they can again. */
  | { readonly kind: 'gpu-probe-failed'; readonly why: string; readonly hint: string | undefined }
  | { readonly kind: 'gpu-probe-recovered' }
  /** An Xid that says nothing against the GPU; `gpu` is undefined where it is none that we know. */
  | {
      readonly kind: 'gpu-xid';
      readonly gpu: GpuName | undefined;
      readonly busId: string;
      readonly number: number;
    }
  /** The kernel's log cannot be read. */
  | { readonly kind: 'kernel-log-unavailable'; readonly why: string; readonly hint: string | undefined }
  /** A canary has ended; without a `why` it passed. */
  | {
      readonly kind: 'gpu-canary';
      readonly gpu: GpuName;
      readonly why: string | undefined;
      readonly retryInMs: number | undefined;
    };

/** What an owner cares about, as it happens. The log tells it line by line, the dry run counts it. */
export type AgentEvent =
  | GpuEvent
  /** What was left from before has been seen to; so many jobs go on. */
  | { readonly kind: 'recovery-completed'; readonly adopted: number }
  /** Something that has to be there before the agent can go on is not; it is tried again. */
  | { readonly kind: 'startup-blocked'; readonly error: AgentError; readonly retryInMs: number }
  | { readonly kind: 'offer-registered'; readonly offer: Offer }
  | { readonly kind: 'offer-price-updated'; readonly offer: Offer; readonly before: number }
  | { readonly kind: 'offer-deregistered'; readonly offer: Offer; readonly why: string }
  | { readonly kind: 'run-skipped'; readonly offer: Offer; readonly run: Run; readonly reason: SkipReason }
  | { readonly kind: 'job-claimed'; readonly offer: Offer; readonly run: Run; readonly job: string }
  | { readonly kind: 'claim-rejected'; readonly job: string; readonly why: string }
  | { readonly kind: 'image-ready'; readonly image: string; readonly tookMs: number }
  | {
      readonly kind: 'image-failed';
      readonly image: string;
      readonly why: string;
      readonly retryInMs: number;
    }
  | { readonly kind: 'job-started'; readonly job: JobRecord }
  | { readonly kind: 'job-adopted'; readonly job: JobRecord }
  | {
      readonly kind: 'job-ended';
      readonly job: JobRecord;
      readonly report: Report;
      readonly durationMs: number;
      readonly earned: number;
    }
  | { readonly kind: 'job-cancelled'; readonly job: JobRecord; readonly why: string }
  | { readonly kind: 'job-release-queued'; readonly job: JobRecord; readonly why: string }
  | { readonly kind: 'job-released'; readonly job: JobRecord }
  | { readonly kind: 'report-delivered'; readonly job: JobRecord; readonly earned: number }
  | { readonly kind: 'report-refused'; readonly job: JobRecord; readonly why: string };

/** Takes events; must not throw. */
export type Observer = (event: AgentEvent) => void;
