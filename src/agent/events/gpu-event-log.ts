import type { LogEntry } from './event-log.ts';
import type { GpuEvent } from './events.ts';

/** The line that an event of the GPUs deserves. Pure. */
export function gpuLogEntry(event: GpuEvent): LogEntry {
  switch (event.kind) {
    case 'gpu-cordoned': {
      const { gpu, hint, why } = event;
      return {
        level: 'warn',
        fields: { gpu: gpu.uuid, hint },
        message: `${gpu.name} gets no new jobs: ${why}`,
      };
    }
    case 'gpu-uncordoned':
      return {
        level: 'info',
        fields: { gpu: event.gpu.uuid },
        message: `${event.gpu.name} gets jobs again`,
      };
    case 'gpu-probe-failed':
      return { level: 'warn', fields: { hint: event.hint }, message: `no GPU gets new jobs: ${event.why}` };
    case 'gpu-probe-recovered':
      return { level: 'info', fields: {}, message: 'the GPUs can be seen again' };
    case 'gpu-xid': {
      const { busId, gpu, number } = event;
      const fields = { gpu: gpu?.uuid, xid: number };
      if (gpu === undefined)
        return {
          level: 'info',
          fields,
          message: `Xid ${number} of a GPU that is not known here, at ${busId}`,
        };
      const message = `Xid ${number} on ${gpu.name}: most likely the doing of the job that ran there`;
      return { level: 'info', fields, message };
    }
    case 'kernel-log-unavailable': {
      const message = `the kernel’s log is not read for sick GPUs: ${event.why}`;
      return { level: 'info', fields: { hint: event.hint }, message };
    }
    case 'gpu-canary':
      return canaryLogEntry(event);
  }
}

function canaryLogEntry({ gpu, retryInMs, why }: GpuEvent & { readonly kind: 'gpu-canary' }): LogEntry {
  const fields = { gpu: gpu.uuid, ...(retryInMs === undefined ? {} : { retryInMs }) };
  if (why === undefined) return { level: 'info', fields, message: `the canary on ${gpu.name} passed` };
  return { level: 'warn', fields, message: `the canary on ${gpu.name} did not pass: ${why}` };
}
