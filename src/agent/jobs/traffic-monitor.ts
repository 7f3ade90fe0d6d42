import { asAgentError } from '../../domain/errors.ts';
import { type ContainerNetworkUse, mergeUse, totalBytes } from '../../domain/network-use.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { JobTermination } from './termination.ts';

/** How often a job's traffic is read; a limit may be exceeded by what the line carries in this time. */
const READ_MS = 1_000;
/** How long a reading may take. */
const READ_TIMEOUT_MS = 5_000;
/** How often it is written to the journal, so that a crash loses little. */
const WRITE_MS = 30_000;
/** With a limit, a job whose traffic is still unknown after so many readings is logged. */
const UNKNOWN_READINGS = 10;

export type TrafficMonitorDeps = {
  readonly runtime: Pick<Runtime, 'networkUse'>;
  readonly journal: Pick<Journal, 'recordNetworkUse'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The most that a job may send and receive together; undefined: no limit. */
  readonly trafficLimitBytes: number | undefined;
};

/** A container whose traffic is counted. `startedAt` is by the wall clock. */
export type CountedJob = { readonly job: string; readonly container: string; readonly startedAt: number };

/** Counting that goes on until it is ended, or until this is disposed of: then the job runs on. */
export type TrafficCounting = Disposable & {
  /** The container has ended: its last count goes to the journal. Asks nobody; never throws. */
  end(): Promise<void>;
};

/** Counts what each job sends and receives, holds it to its limit, and keeps the count in the journal. */
export class TrafficMonitor {
  readonly #deps: TrafficMonitorDeps;
  readonly #logged = new OncePerChange();

  constructor(deps: TrafficMonitorDeps) {
    this.#deps = deps;
  }

  /** Counts until the container ends. The kernel counts from its start, so nothing is lost between two agents. */
  watch(at: CountedJob, end: JobTermination): TrafficCounting {
    const { clock, runtime } = this.#deps;
    let use: ContainerNetworkUse = { address: null, traffic: null };
    let writtenAt = Number.NEGATIVE_INFINITY;
    let isWritten = false;
    let isReading = false;
    let isOver = false;
    let unknown = 0;
    const take = (newer: ContainerNetworkUse | undefined): void => {
      if (newer === undefined) return;
      const merged = mergeUse(use, newer);
      isWritten &&= JSON.stringify(merged) === JSON.stringify(use);
      use = merged;
    };
    const write = (endedAt: number | null): void => {
      this.#write({ ...at, ...use, endedAt });
      isWritten = true;
      writtenAt = clock.monotonic();
    };
    const read = async (): Promise<void> => {
      if (isReading || runtime.networkUse === undefined) return;
      isReading = true;
      take(await runtime.networkUse(at.container, within(READ_TIMEOUT_MS, end.signal)));
      isReading = false;
      if (isOver) return;
      unknown = use.traffic === null ? unknown + 1 : 0;
      this.#enforce(at, use, unknown, end);
      if (!isWritten && !isSilent(use) && clock.monotonic() - writtenAt >= WRITE_MS) write(null);
    };
    void read();
    const timer = setInterval(() => void read(), READ_MS);
    return {
      end: async () => {
        if (isOver) return;
        isOver = true;
        clearInterval(timer);
        take(await runtime.networkUse?.(at.container, 'last'));
        write(clock.now());
      },
      [Symbol.dispose]: () => {
        clearInterval(timer);
        if (!isOver && !isWritten) write(null);
        isOver = true;
      },
    };
  }

  #enforce(
    { job }: CountedJob,
    { traffic }: ContainerNetworkUse,
    unknown: number,
    end: JobTermination,
  ): void {
    const { log, trafficLimitBytes } = this.#deps;
    if (trafficLimitBytes === undefined) return;
    if (traffic !== null && totalBytes(traffic) > trafficLimitBytes)
      end.limit(`it sent and received more than ${trafficLimitBytes} bytes`);
    if (unknown < UNKNOWN_READINGS || !this.#logged.isNew('unknown')) return;
    const hint = 'run the agent in the network namespace of this host, or set --job-network none';
    const fields = { event: 'job-traffic-unknown', job, hint };
    log.warn(
      fields,
      '--job-traffic is not enforced: neither the kernel nor Docker counts the traffic of jobs',
    );
  }

  /** A count that cannot be written is written later, or lost with the disk: no job fails by it. */
  #write(use: Parameters<Journal['recordNetworkUse']>[0]): void {
    try {
      this.#deps.journal.recordNetworkUse(use);
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      if (!this.#logged.isNew(code, 'write')) return;
      const fields = { event: 'job-traffic-not-written', job: use.job, code };
      this.#deps.log.warn(fields, `traffic of jobs not written to the journal: ${message}`);
    }
  }
}

/** Whether the container has no network, as far as is known: only its end is worth an entry. */
function isSilent({ address, traffic }: ContainerNetworkUse): boolean {
  return address === null && traffic !== null && totalBytes(traffic) === 0;
}
