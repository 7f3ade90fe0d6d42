import type { CatalogueGpu } from '../../domain/gpu.ts';
import { readableDuration } from '../../lib/readable.ts';
import { count } from '../count.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';
import type { Clocks } from './collect.ts';

/** Beyond this, leases and ages are hard to compare. */
const MAX_CLOCK_OFFSET_MS = 30_000;
const QUARTER_HOUR_MS = 900_000;

/** Whether the broker answers. `hasToken`: whether a token was sent; without one its 401 shows that it is up. */
export function checkBroker(
  url: string,
  catalogue: QueryResult<readonly CatalogueGpu[]>,
  hasToken: boolean,
): CheckResult {
  if ('error' in catalogue) {
    const { error } = catalogue;
    if (error.code === 'BROKER_UNAUTHORIZED' && !hasToken) return ok('broker', `${url} is up; needs a token`);
    return fromError('broker', error);
  }
  const { ms, value } = catalogue;
  const found = `${url}, answered in ${ms} ms, ${count(value.length, 'GPU')} in its catalogue`;
  return value.length > 0
    ? ok('broker', found)
    : warn('broker', found, 'ask the broker’s operator for a catalogue: without one no GPU can be offered');
}

/** The offset between the broker's clock and this host's. */
export function checkClock(answer: QueryResult<Clocks>): CheckResult {
  if ('error' in answer) return warn('clock', 'not compared: the broker did not answer');
  if (answer.value === undefined) return warn('clock', 'not compared: the broker sends no time');
  const { brokerMs, localMs } = answer.value;
  // The broker's time has whole seconds.
  const offsetMs = Math.round((brokerMs - localMs) / 1000) * 1000;
  const size = Math.abs(offsetMs);
  if (size <= 1000) return ok('clock', 'in step with the broker’s');
  const found = `the broker’s clock is ${readableDuration(size)} ${offsetMs > 0 ? 'ahead' : 'behind'}`;
  if (size <= MAX_CLOCK_OFFSET_MS) return ok('clock', found);
  const rest = size % QUARTER_HOUR_MS;
  const isTimeZone = Math.min(rest, QUARTER_HOUR_MS - rest) <= MAX_CLOCK_OFFSET_MS;
  const hint = 'set this host’s clock: sudo timedatectl set-ntp true';
  return warn('clock', found, isTimeZone ? `${hint} (unless the broker sends its local time)` : hint);
}
