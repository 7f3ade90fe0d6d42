import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type MetricValues, single } from './metric.ts';
import { METRICS } from './table.ts';

/** How often the event loop is measured: more often would cost an idle agent more than it says. In milliseconds. */
const RESOLUTION_MS = 200;

/** What the agent's own process uses. */
export class ProcessMetrics {
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  get values(): readonly MetricValues[] {
    const { system, user } = process.cpuUsage();
    return [
      single(METRICS.processCpu, (system + user) / 1_000_000),
      single(METRICS.processMemory, process.memoryUsage.rss()),
      single(METRICS.processFds, openFiles()),
      single(METRICS.processStart, performance.timeOrigin / 1_000),
      single(METRICS.eventLoopLag, this.#lag()),
    ];
  }

  /** In seconds. The monitor counts its own interval as delay. */
  #lag(): number | undefined {
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#delay.enable();
      return undefined;
    }
    const lag = Math.max(this.#delay.percentile(99) / 1_000_000 - RESOLUTION_MS, 0) / 1_000;
    const { count } = this.#delay;
    this.#delay.reset();
    return count === 0 ? undefined : lag;
  }
}

/** Undefined where there is no descriptor left to count them with. */
function openFiles(): number | undefined {
  try {
    // Less the one that lists them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
