import { showDuration } from '../../config/duration.ts';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, ok, troubled, warn } from './check-result.ts';
import type { Clocks } from './collect.ts';

/** Clocks further apart than this make leases and ages hard to follow. */
const MOST_APART_MS = 30_000;
const QUARTER_HOUR_MS = 900_000;

/** Whether the broker answers, and with what. `hasToken`: whether there was one to show to it. */
export function checkBroker(
  url: string,
  catalogue: QueryResult<readonly CatalogueGpu[]>,
  hasToken: boolean,
): CheckResult {
  if ('error' in catalogue) {
    const { error } = catalogue;
    if (error.code === 'BROKER_UNAUTHORIZED' && !hasToken)
      return ok('broker', `${url} answers, and wants a token`);
    return troubled('broker', error);
  }
  const { ms, value } = catalogue;
  const found = `${url} answers in ${ms} ms, with ${value.length} GPUs in its catalogue`;
  return value.length > 0
    ? ok('broker', found)
    : warn('broker', found, 'without a catalogue no GPU can be offered there: ask who runs the broker');
}

/** How far our clock is from the broker's. */
export function checkClock(answer: QueryResult<Clocks>): CheckResult {
  if ('error' in answer) return warn('clock', 'not compared, since the broker does not tell its time');
  if (answer.value === undefined) return warn('clock', 'not compared: the broker tells no time');
  const { brokerMs, localMs } = answer.value;
  // The broker counts in whole seconds.
  const apart = Math.round((brokerMs - localMs) / 1000) * 1000;
  const size = Math.abs(apart);
  if (size <= 1000) return ok('clock', 'the same as the broker’s');
  const found = `the broker’s is ${showDuration(size)} ${apart > 0 ? 'ahead' : 'behind'}`;
  if (size <= MOST_APART_MS) return ok('clock', found);
  const rest = size % QUARTER_HOUR_MS;
  const zone = Math.min(rest, QUARTER_HOUR_MS - rest) <= MOST_APART_MS;
  return warn(
    'clock',
    found,
    zone
      ? 'it may keep another time zone, and tells none; if not, set this host’s clock: sudo timedatectl set-ntp true'
      : 'set this host’s clock: sudo timedatectl set-ntp true',
  );
}
