import { scheduleOf } from '../../compose.ts';
import { priceSource, tariffOf } from '../../compose-electricity.ts';
import type { Config } from '../../config/config.ts';
import { readablePrice } from '../../lib/readable.ts';
import { strategyOf } from '../../pricing/strategy/strategies.ts';
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

/** What a kWh costs now; nothing where no price is configured and no strategy follows it. */
export function checkElectricity(
  config: Config,
  read: QueryResult<readonly PublishedPoint[]> | undefined,
  now: number,
): readonly CheckResult[] {
  const failed = read !== undefined && 'error' in read ? fromError(CHECK, read.error, 'warn') : undefined;
  const points = read !== undefined && 'value' in read ? read.value : undefined;
  const tariff = tariffOf(config, scheduleOf(config).schedule.zone, points);
  const price = tariff && meanPrice(tariff, now, now + 1);
  if (price === undefined) return failed === undefined ? checkNeed(config) : [failed];
  const found = `${readablePrice(price.dollarsPerKWh)} per kWh now`;
  if (failed !== undefined) return [{ ...failed, found: `${found}, of electricity-price: ${failed.found}` }];
  if (points === undefined) return [ok(CHECK, found)];
  if (points.some(({ from, until }) => from <= now && now < until)) return [ok(CHECK, `${found}, published`)];
  const from = config.electricityPrice === undefined ? 'assumed' : 'of electricity-price';
  return [warn(CHECK, `${found}, ${from}: none is published for now`, LIMITS.hint)];
}

function checkNeed({ askStrategy, floorMargin }: Config): readonly CheckResult[] {
  if (!strategyOf(askStrategy, { floorMargin }).needs.includes('floor')) return [];
  const hint = 'set --electricity-price, or another --ask-strategy';
  return [warn(CHECK, `no price is set, so --ask-strategy ${askStrategy} leaves the ask as it is`, hint)];
}
