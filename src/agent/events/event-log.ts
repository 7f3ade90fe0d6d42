import { SKIP_REASONS } from '../../domain/decide.ts';
import { JOB_STATUS } from '../../domain/job.ts';
import type { Log } from '../../lib/log.ts';
import type { AgentEvent, Observer } from './events.ts';
import { gpuLogEntry } from './gpu-event-log.ts';

const STATUS_WORDS = {
  [JOB_STATUS.SUCCEEDED]: 'SUCCEEDED',
  [JOB_STATUS.FAILED]: 'FAILED',
  [JOB_STATUS.TIMEOUT]: 'TIMEOUT',
} as const;

/** A line of the log. */
export type LogEntry = {
  readonly level: 'debug' | 'info' | 'warn';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
};

/** Makes an observer that tells each event in one line of the log. */
export function eventLog(log: Log): Observer {
  return (event) => {
    const { fields, level, message } = logEntry(event);
    log[level]({ event: event.kind, ...fields }, message);
  };
}

/** The line that an event deserves. Pure. */
export function logEntry(event: AgentEvent): LogEntry {
  switch (event.kind) {
    case 'recovery-completed': {
      const { adopted } = event;
      return { level: 'info', fields: { adopted }, message: 'what was left from before is seen to' };
    }
    case 'startup-blocked': {
      const { error, retryInMs } = event;
      const fields = { code: error.code, hint: error.hint, retryInMs };
      return { level: 'warn', fields, message: `not yet: ${error.message}` };
    }
    case 'offer-registered':
    case 'offer-price-updated':
    case 'offer-deregistered':
      return offerLogEntry(event);
    case 'run-skipped': {
      const { bidPrice, functionName, uuid } = event.run;
      const fields = {
        run: uuid,
        function: functionName,
        bid: bidPrice,
        reason: event.reason,
        offer: event.offer.key,
      };
      // An image on its way has lines of its own.
      const level = event.reason === 'image-not-pulled' ? 'debug' : 'info';
      return { level, fields, message: `run skipped: ${SKIP_REASONS[event.reason]}` };
    }
    case 'job-claimed': {
      const { bidPrice, functionName, uuid } = event.run;
      const fields = {
        run: uuid,
        job: event.job,
        function: functionName,
        bid: bidPrice,
        ask: event.offer.askPrice,
      };
      return { level: 'info', fields, message: 'job won' };
    }
    case 'claim-rejected':
      return { level: 'info', fields: { job: event.job, why: event.why }, message: 'job not won' };
    case 'image-ready':
      return {
        level: 'info',
        fields: { image: event.image, tookMs: Math.round(event.tookMs) },
        message: 'image ready',
      };
    case 'image-failed': {
      const { image, retryInMs, why } = event;
      return {
        level: 'warn',
        fields: { image, retryInMs: Math.round(retryInMs) },
        message: `image not ready: ${why}`,
      };
    }
    case 'gpu-cordoned':
    case 'gpu-uncordoned':
    case 'gpu-probe-failed':
    case 'gpu-probe-recovered':
    case 'gpu-xid':
    case 'kernel-log-unavailable':
    case 'gpu-canary':
      return gpuLogEntry(event);
    default:
      return jobLogEntry(event);
  }
}

function offerLogEntry(event: Extract<AgentEvent, { readonly kind: `offer-${string}` }>): LogEntry {
  const { askPrice, instance, key, slots } = event.offer;
  const fields = { offer: key, instance, ask: askPrice, slots: slots.length };
  if (event.kind === 'offer-registered') return { level: 'info', fields, message: 'offer up' };
  if (event.kind === 'offer-price-updated')
    return { level: 'info', fields: { ...fields, before: event.before }, message: 'offer asks a new price' };
  return { level: 'info', fields, message: `offer down: ${event.why}` };
}

type JobEvent = Exclude<
  Extract<AgentEvent, { readonly kind: `job-${string}` | `report-${string}` }>,
  { readonly kind: 'job-claimed' }
>;

function jobLogEntry(event: JobEvent): LogEntry {
  const { functionName, gpu, run, slot, uuid } = event.job;
  const fields = { job: uuid, run, function: functionName };
  switch (event.kind) {
    case 'job-started':
      return { level: 'info', fields: { ...fields, slot, gpu }, message: 'job started' };
    case 'job-adopted':
      return {
        level: 'info',
        fields: { ...fields, slot, gpu },
        message: 'job adopted from before the start',
      };
    case 'job-ended': {
      const { durationMs, report } = event;
      const earned = dollars(event.earned);
      const status = STATUS_WORDS[report.status];
      return {
        level: 'info',
        fields: { ...fields, status, durationMs, earned },
        message: `job ended: ${status}`,
      };
    }
    case 'job-cancelled':
      return { level: 'warn', fields, message: `job cancelled: ${event.why}` };
    case 'job-release-queued':
      return { level: 'warn', fields, message: `job goes back to the market: ${event.why}` };
    case 'job-released':
      return { level: 'info', fields, message: 'job released' };
    case 'report-delivered':
      return {
        level: 'info',
        fields: { ...fields, earned: dollars(event.earned) },
        message: 'report delivered',
      };
    case 'report-refused':
      return { level: 'warn', fields, message: `report dropped: ${event.why}` };
  }
}

/** To a millionth of a dollar: more is noise. */
function dollars(amount: number): number {
  return Number(amount.toFixed(6));
}
