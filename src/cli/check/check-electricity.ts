import { scheduleOf } from '../../compose.ts';
import { priceSource, tariffOf } from '../../compose-electricity.ts';
import type { Config } from '../../config/config.ts';
import { readablePrice } from '../../lib/readable.ts';
import { meanPrice } from '../../pricing/tariff.ts';
import { type PublishedPoint, readPrices } from '../../tariff/price-points.ts';
import { type QueryLimits, type QueryResult, query } from '../query.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';

const CHECK = 'electricity';
const LIMITS: QueryLimits = {
  ms: 10_000,
  code: 'ELECTRICITY_PRICES_FAILED',
  who: 'the source of prices of electricity',
  hint: 'check --electricity-price-url or --electricity-price-command',
};

/** Reads the published prices once; undefined: none are configured. Never throws. */
export async function inspectElectricity(
  config: Config,
): Promise<QueryResult<readonly PublishedPoint[]> | undefined> {
  const source = priceSource(config);
  return source && query(LIMITS, async (signal) => readPrices(await source.read(signal)));
}

/** What a kWh costs now; nothing where no price is configured. */
export function checkElectricity(
  config: Config,
  read: QueryResult<readonly PublishedPoint[]> | undefined,
  now: number,
): readonly CheckResult[] {
  if (read !== undefined && 'error' in read) return [fromError(CHECK, read.error, 'warn')];
  const points = read?.value;
  const tariff = tariffOf(config, scheduleOf(config).schedule.zone, points);
  const price = tariff && meanPrice(tariff, now, now + 1);
  if (price === undefined) return [];
  const found = `${readablePrice(price.dollarsPerKWh)} per kWh now`;
  if (points === undefined) return [ok(CHECK, found)];
  if (points.some(({ from, until }) => from <= now && now < until)) return [ok(CHECK, `${found}, published`)];
  const from = config.electricityPrice === undefined ? 'assumed' : 'of electricity-price';
  return [warn(CHECK, `${found}, ${from}: none is published for now`, LIMITS.hint)];
}
