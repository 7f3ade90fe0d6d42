import type { Line } from './event-log.ts';
import type { GpuEvent } from './events.ts';

/** The line that an event of the GPUs deserves. Pure. */
export function gpuLine(event: GpuEvent): Line {
  switch (event.kind) {
    case 'gpu-kept-out': {
      const { gpu, mend, why } = event;
      return {
        level: 'warn',
        fields: { gpu: gpu.uuid, mend },
        message: `${gpu.name} gets no new jobs: ${why}`,
      };
    }
    case 'gpu-back':
      return {
        level: 'info',
        fields: { gpu: event.gpu.uuid },
        message: `${event.gpu.name} gets jobs again`,
      };
    case 'gpus-unseen':
      return { level: 'warn', fields: { mend: event.mend }, message: `no GPU gets new jobs: ${event.why}` };
    case 'gpus-seen':
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
    case 'xids-unseen': {
      const message = `the kernel’s log is not read for sick GPUs: ${event.why}`;
      return { level: 'info', fields: { mend: event.mend }, message };
    }
    case 'gpu-canary':
      return canaryLine(event);
  }
}

function canaryLine({ gpu, retryInMs, why }: GpuEvent & { readonly kind: 'gpu-canary' }): Line {
  const fields = { gpu: gpu.uuid, ...(retryInMs === undefined ? {} : { retryInMs }) };
  if (why === undefined) return { level: 'info', fields, message: `the canary on ${gpu.name} passed` };
  return { level: 'warn', fields, message: `the canary on ${gpu.name} did not pass: ${why}` };
}
