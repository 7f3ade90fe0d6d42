import { endpointName } from '../broker/endpoint-name.ts';
import type { CallResult } from '../broker/transport.ts';
import { type MetricValues, single } from './metric.ts';
import { Histogram } from './series.ts';
import { METRICS } from './table.ts';

/** Statuses with a series of their own; a broker may send any. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 201, 204, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 413, 422, 429, 500, 501, 502, 503,
  504,
]);

/** Counts the calls to the broker. */
export class BrokerMetrics {
  readonly #durations = new Histogram(METRICS.brokerRequestDuration);
  #isUp: boolean | undefined;

  readonly observe = ({ method, path, status, tookMs }: CallResult): void => {
    const code = codeOf(status);
    this.#isUp = status !== undefined && status < 500;
    this.#durations.observe({ endpoint: endpointName(method, path), code }, tookMs / 1_000);
  };

  get values(): readonly MetricValues[] {
    const isUp = this.#isUp === undefined ? undefined : Number(this.#isUp);
    return [single(METRICS.brokerUp, isUp), this.#durations.values];
  }
}

/** `error`: no whole answer came. */
function codeOf(status: number | undefined): string {
  if (status === undefined) return 'error';
  if (STATUSES.has(status)) return `${status}`;
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other';
}
