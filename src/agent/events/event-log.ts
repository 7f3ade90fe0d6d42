import { SKIP_REASONS } from '../../domain/decide.ts';
import { EVICTION_REASONS } from '../../domain/image-eviction.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Log } from '../../lib/log.ts';
import type { AgentEvent, Observer } from './events.ts';
import type { LogEntry } from './log-entry.ts';
import { ownerImageEntry } from './owner-image-entry.ts';
import { priceEntry } from './price-entry.ts';
import { pullText } from './pull-text.ts';

const STATUS_NAMES = {
  [JOB_STATUS.SUCCEEDED]: 'SUCCEEDED',
  [JOB_STATUS.FAILED]: 'FAILED',
  [JOB_STATUS.TIMEOUT]: 'TIMEOUT',
} as const;

/** Makes an observer that logs each event as one line. */
export function eventLog(log: Log): Observer {
  return (event) => {
    const { fields, level, message } = logEntry(event);
    log[level]({ event: event.kind, ...fields }, message);
  };
}

/** The log line of an event. Pure. */
export function logEntry(event: AgentEvent): LogEntry {
  switch (event.kind) {
    case 'recovery-completed':
      return info('recovery completed', { adopted: event.adopted });
    case 'startup-blocked': {
      const { error, retryInMs } = event;
      return warn(`startup blocked: ${error.message}`, { code: error.code, hint: error.hint, retryInMs });
    }
    case 'engine-changed': {
      const { from, lost, to } = event;
      const level = lost === 0 ? 'info' : 'warn';
      return { level, fields: { from, to, lost }, message: 'Docker engine or its address changed' };
    }
    case 'engine-degraded':
      return warn(event.why, { slow: event.slow, hint: event.hint });
    case 'engine-recovered':
      return info('Docker is no longer slow');

    case 'claiming-paused': {
      const { blockedBy, hint, why } = event;
      return warn(`claiming paused: ${why}`, { blockedBy, hint });
    }
    case 'claiming-resumed':
      return info('claiming resumed');
    case 'owner-command': {
      const { by, command, from } = event;
      const { kind, ...rest } = command;
      return info(`${kind} by ${by}`, { command: kind, ...rest, by, from });
    }
    case 'reclaim-ended': {
      const { gpus, jobs, left, problem, tookMs } = event;
      const inUse = gpus.filter(({ state }) => state === 'in-use');
      const pids = inUse.flatMap(({ processes }) => processes.map(({ pid }) => pid));
      const fields = { jobs, gpus: gpus.map(({ gpu }) => gpu), tookMs };
      if (left.length > 0)
        return warn(`jobs still run: ${problem?.why ?? 'the engine does not end them'}`, {
          ...fields,
          left,
          hint: problem?.hint,
        });
      if (inUse.length === 0) return info('GPUs taken back', fields);
      return warn('GPU memory is still in use', { ...fields, inUse: inUse.map(({ gpu }) => gpu), pids });
    }
    case 'target-held': {
      const { hint, kind, until, why } = event.hold;
      const end = until === undefined ? undefined : new Date(until).toISOString();
      return info(`no new jobs: ${why}`, { target: event.target, reason: kind, why, until: end, hint });
    }
    case 'target-released':
      return info('new jobs again', { target: event.target });
    case 'test-container-failed': {
      const { error, retryInMs } = event;
      return warn(`test container failed: ${error.message}`, {
        code: error.code,
        hint: error.hint,
        retryInMs,
      });
    }
    case 'test-container-passed':
      return info('test container passed');
    case 'engine-breaker-opened': {
      const { error, retryInMs } = event;
      return warn(`claiming stopped: ${error.message}`, { code: error.code, hint: error.hint, retryInMs });
    }

    case 'polling-failed': {
      const { error, failures, retryInMs } = event;
      // A single failure is not worth a warning, unless it needs a person; an outage of days must not fill the log.
      const isNews = failures <= 8 || Number.isInteger(Math.log2(failures));
      const level = isNews && (failures > 1 || error.code === 'BROKER_UNAUTHORIZED') ? 'warn' : 'debug';
      const fields = { code: error.code, retryInMs, hint: error.hint };
      return { level, fields, message: `polling failed: ${error.message}` };
    }
    case 'broker-reachable':
      return info('broker reachable again');
    case 'vulnerabilities-checked': {
      const fields = { found: event.risks.map(({ component }) => component) };
      return { level: 'debug', fields, message: 'known vulnerabilities of this host changed' };
    }

    case 'offer-registered':
      return info('offer registered', offerFields(event.offer));
    case 'offer-price-updated':
      return info('offer price updated', { ...offerFields(event.offer), before: event.before });
    case 'ask-changed':
    case 'ask-strategy-held':
    case 'asks-frozen':
    case 'asks-unfrozen':
    case 'floor-above-max':
      return priceEntry(event);
    case 'image-pinned':
    case 'image-unpinned':
    case 'images-collected':
      return ownerImageEntry(event);
    case 'offer-resized':
      return info('offer resized', offerFields(event.offer));
    case 'offer-deregistered':
      return info(`offer deregistered: ${event.why}`, offerFields(event.offer));

    case 'run-skipped': {
      const { offer, reason, run } = event;
      const fields = {
        run: run.uuid,
        function: run.functionName,
        bid: run.bidPrice,
        reason,
        offer: offer.key,
      };
      // An image on its way has lines of its own.
      const level = reason === 'image-not-pulled' ? 'debug' : 'info';
      return { level, fields, message: `run skipped: ${SKIP_REASONS[reason]}` };
    }
    case 'runs-skipped': {
      const { offer, reasons } = event;
      const runs = Object.values(reasons).reduce((sum, some) => sum + some, 0);
      return info(`${runs} more runs skipped`, { runs, reasons, offer: offer.key });
    }
    case 'job-claimed': {
      const { job, offer, run } = event;
      const prices = { bid: run.bidPrice, ask: offer.askPrice };
      return info('job claimed', { job, run: run.uuid, function: run.functionName, ...prices });
    }
    case 'claim-rejected':
      return info(`claim rejected: ${event.why}`, { job: event.job, why: event.why });
    case 'claim-unanswered': {
      const { error, job } = event;
      return warn(`claim unanswered, releasing it: ${error.message}`, { job, code: error.code });
    }

    case 'image-ready':
      return info('image ready', { image: event.image, tookMs: Math.round(event.tookMs) });
    case 'image-pulling': {
      const { kind: _, ...status } = event;
      return info(pullText(status), status);
    }
    case 'image-pull-cancelled':
      return info('image pull cancelled: no run needs it any more', {
        image: event.image,
        tookMs: Math.round(event.tookMs),
      });
    case 'image-failed': {
      const { code, hint, hostFault, image, why } = event;
      const fields = { image, code, hint, retryInMs: Math.round(event.retryInMs) };
      return { level: hostFault ? 'error' : 'warn', fields, message: `image not ready: ${why}` };
    }
    case 'image-evicted': {
      const { freedBytes, id, image, reason, valuePerDay } = event;
      const fields = { image, id, freedBytes, valuePerDay: dollars(valuePerDay / 1e6), reason };
      return info(`image removed to free disk space: ${EVICTION_REASONS[reason]}`, fields);
    }

    case 'job-started':
      return info('job started', { ...jobFields(event.job), slot: event.job.slot, gpu: event.job.gpu });
    case 'job-adopted':
      return info('job adopted', { ...jobFields(event.job), slot: event.job.slot, gpu: event.job.gpu });
    case 'job-ended': {
      const { durationMs, earned, job, report, traffic } = event;
      const status = STATUS_NAMES[report.status];
      const fields = { ...jobFields(job), status, durationMs, earned: dollars(earned), ...traffic };
      return info(`job ended: ${status}`, fields);
    }
    case 'job-cancelled':
      return warn(`job cancelled: ${event.why}`, { ...jobFields(event.job), why: event.why });
    case 'job-release-queued':
      return warn(`job release queued: ${event.why}`, { ...jobFields(event.job), why: event.why });
    case 'job-released':
      return info('job released', jobFields(event.job));
    case 'report-delivered':
      return info('report delivered', { ...jobFields(event.job), earned: dollars(event.earned) });
    case 'report-refused':
      return warn(`report refused: ${event.why}`, { ...jobFields(event.job), why: event.why });

    case 'container-removal-failed': {
      const { container, hint, job, orphans, why } = event;
      return warn(`container not removed, tried again later: ${why}`, { container, job, hint, orphans });
    }
    case 'container-removed': {
      const { container, job, orphans } = event;
      return info('orphaned container removed', { container, job, orphans });
    }

    case 'gpu-cordoned': {
      const { gpu, hint, why } = event;
      return warn(`${gpu.name} cordoned: ${why}`, { gpu: gpu.uuid, why, hint });
    }
    case 'gpu-uncordoned':
      return info(`${event.gpu.name} uncordoned`, { gpu: event.gpu.uuid });
    case 'gpu-throttled': {
      const { gpu, hint, reasons, temperatureC } = event;
      const at = temperatureC === undefined ? '' : ` at ${temperatureC} °C`;
      return warn(`${gpu.name} is slowed down by heat${at}`, { gpu: gpu.uuid, reasons, temperatureC, hint });
    }
    case 'gpu-unthrottled':
      return info(`${event.gpu.name} is no longer slowed down by heat`, { gpu: event.gpu.uuid });
    case 'gpu-probe-failed':
      return warn(`GPU probe failed, all GPUs are cordoned: ${event.why}`, { hint: event.hint });
    case 'gpu-probe-recovered':
      return info('GPU probe recovered');
    case 'gpu-notice': {
      const { gpu, hint, why } = event;
      const where = gpu === undefined ? 'nvidia-smi says' : gpu.name;
      return warn(`${where}: ${why}`, { gpu: gpu?.uuid, why, hint });
    }
    case 'gpu-xid': {
      const { busId, gpu, hint, number, why } = event;
      const where = gpu?.name ?? `an unknown device at ${busId}`;
      return info(`${where} reported ${why}; it is not cordoned`, { gpu: gpu?.uuid, xid: number, hint });
    }
    case 'presence-changed': {
      const { gpu, state, why } = event;
      const words = { away: 'is not here', here: 'is here', unknown: 'may be here' }[state];
      return info(`the owner of ${gpu.name} ${words}: ${why}`, { gpu: gpu.uuid, state, why });
    }
    case 'kernel-log-unavailable':
      return info(`kernel log unavailable, Xids are not monitored: ${event.why}`, { hint: event.hint });
    case 'page-served':
      return info('status page served', { host: event.host, port: event.port });
    case 'page-not-served': {
      const { hint, retryInMs, why } = event;
      return warn(why, { hint, retryInMs });
    }
    case 'page-signed-in': {
      const { by, from, rights } = event;
      return info(`signed in: ${by}`, { by, from, rights });
    }
    case 'page-sign-in-refused':
      return warn(`sign-in to the page refused: ${event.why}`, { from: event.from });
    case 'page-signed-out': {
      const { all, by, from } = event;
      return info(all ? `everybody signed out of the page by ${by}` : `signed out: ${by}`, {
        by,
        from,
        all,
      });
    }
    case 'gpu-canary': {
      const { gpu, retryInMs, why } = event;
      if (why === undefined) return info(`canary on ${gpu.name} passed`, { gpu: gpu.uuid });
      return warn(`canary on ${gpu.name} failed: ${why}`, { gpu: gpu.uuid, retryInMs });
    }
  }
}

function info(message: string, fields: LogEntry['fields'] = {}): LogEntry {
  return { level: 'info', message, fields };
}

function warn(message: string, fields: LogEntry['fields']): LogEntry {
  return { level: 'warn', message, fields };
}

function offerFields({ askPrice, instance, key, parallelJobs, slots }: Offer): LogEntry['fields'] {
  return { offer: key, instance, ask: askPrice, slots: parallelJobs ?? slots.length };
}

function jobFields({ functionName, run, uuid }: JobRecord): LogEntry['fields'] {
  return { job: uuid, run, function: functionName };
}

/** To a millionth of a dollar: more is noise. */
function dollars(amount: number): number {
  return Number(amount.toFixed(6));
}
