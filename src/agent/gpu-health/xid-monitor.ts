import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { KernelLog } from '../../domain/ports/gpu.ts';
import { sameBus, verdictOn, type Xid } from '../../domain/xid.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import type { GpuCordons } from './cordons.ts';

/** A harmless Xid may come a thousand times; it is logged again after this long. */
const REPEAT_MS = 600_000;
/** A log that was followed for this long does not break off at once. */
const STEADY_MS = 60_000;

export type XidMonitorDeps = {
  /** Undefined: the kernel log is not read. */
  readonly kernelLog: KernelLog | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observer;
  readonly cordons: GpuCordons;
  /** Called with the uuid of a GPU that had an Xid that is the host's fault, and what that means. */
  readonly onFault: (uuid: string, why: string) => void;
  /** Called after an Xid that is not in the catalogue: the GPUs are probed sooner. */
  readonly onUnknown: () => void;
};

/** Follows the kernel log for Xids, and cordons GPUs whose Xid is the host's fault. */
export class XidMonitor {
  readonly #deps: XidMonitorDeps;
  readonly #logged: OncePerChange;

  constructor(deps: XidMonitorDeps) {
    this.#deps = deps;
    this.#logged = new OncePerChange({ repeatMs: REPEAT_MS, now: () => deps.clock.monotonic() });
  }

  /** Runs until the signal aborts, or until the log turns out to be unreadable. */
  async work(signal: AbortSignal): Promise<void> {
    const { clock, kernelLog, observe, random } = this.#deps;
    if (kernelLog === undefined) return;
    for (let breaks = 1; !signal.aborted; breaks += 1) {
      const began = clock.monotonic();
      try {
        await kernelLog.follow((xid) => this.#take(xid), signal);
      } catch (thrown) {
        const { hint, message } = asAgentError(thrown);
        observe({ kind: 'kernel-log-unavailable', why: message, hint });
        return;
      }
      if (clock.monotonic() - began > STEADY_MS) breaks = 1;
      await sleep(backoffMs(RETRY.kernelLog, breaks, random), signal);
    }
  }

  #take(xid: Xid): void {
    const { cordons, observe, onFault, onUnknown } = this.#deps;
    const uuid = [...cordons.addresses].find(([, busId]) => sameBus(busId, xid.busId))?.[0];
    const { hint, hostFault, known, why } = verdictOn(xid);
    if (uuid === undefined || !hostFault) {
      const gpu = uuid === undefined ? undefined : cordons.name(uuid);
      const { busId, number } = xid;
      if (this.#logged.isNew('xid', `${busId} ${why}`))
        observe({ kind: 'gpu-xid', gpu, busId, number, why, hint });
      if (!known) onUnknown();
      return;
    }
    // One fault makes the driver log several Xids; the first one says most.
    if (cordons.get('xid', uuid) === undefined) cordons.cordon('xid', uuid, { why, hint });
    onFault(uuid, why);
  }
}
