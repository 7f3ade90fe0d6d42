import { LIMITS } from '../limits.ts';
import {
  calibration,
  currency,
  currencyRate,
  type ElectricityPrices,
  electricityPrices,
  fee,
  wear,
} from './electricity-types.ts';
import { pricesUrl } from './notify-types.ts';
import type { Option } from './option.ts';
import type { Problem } from './problem.ts';
import { program } from './text-types.ts';

/** The options of what a job costs; a part of the table of all options. */
export const MONEY_OPTIONS = {
  electricityPrice: {
    name: 'electricity-price',
    env: 'SHAREDCLOUD_ELECTRICITY_PRICE',
    type: electricityPrices,
    unset: 'not known: no power cost and no floor',
    help: 'what a kWh costs, also by windows of time (`0.30; 22:00-06:00 0.18`); where prices are read from elsewhere, what holds while none is published',
    group: 'Money',
  },
  electricityPriceCommand: {
    name: 'electricity-price-command',
    env: 'SHAREDCLOUD_ELECTRICITY_PRICE_COMMAND',
    type: program,
    unset: 'none',
    help: 'program that prints prices of electricity as JSON; see docs/electricity.md',
    group: 'Money',
  },
  electricityPriceUrl: {
    name: 'electricity-price-url',
    env: 'SHAREDCLOUD_ELECTRICITY_PRICE_URL',
    type: pricesUrl,
    unset: 'none',
    help: 'URL that answers with prices of electricity as JSON; see docs/electricity.md',
    group: 'Money',
  },
  electricityCurrency: {
    name: 'electricity-currency',
    env: 'SHAREDCLOUD_ELECTRICITY_CURRENCY',
    type: currency,
    default: 'USD',
    help: 'currency of the prices of electricity',
    group: 'Money',
  },
  electricityCurrencyRate: {
    name: 'electricity-currency-rate',
    env: 'SHAREDCLOUD_ELECTRICITY_CURRENCY_RATE',
    type: currencyRate,
    unset: '1 for USD',
    help: 'US dollars for one unit of that currency',
    group: 'Money',
  },
  powerCalibration: {
    name: 'power-calibration',
    env: 'SHAREDCLOUD_POWER_CALIBRATION',
    type: calibration,
    unset: 'a power supply with 90 % efficiency',
    help: 'two readings of a meter at the wall with those of all GPUs, idle and at work: `95 at 12, 480 at 330`',
    group: 'Money',
  },
  wearPerHour: {
    name: 'wear-per-hour',
    env: 'SHAREDCLOUD_WEAR_PER_HOUR',
    type: wear,
    default: '0',
    help: 'US dollars that an hour of work wears off a GPU; a part of the floor',
    group: 'Money',
  },
  brokerFee: {
    name: 'broker-fee',
    env: 'SHAREDCLOUD_BROKER_FEE',
    type: fee,
    default: '0%',
    help: 'part of earnings that the broker keeps; a part of the floor',
    group: 'Money',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** What is wrong with the prices of electricity together. Pure. */
export function electricityProblems({
  electricityCurrency: code,
  electricityCurrencyRate: rate,
  electricityPrice: prices,
  electricityPriceCommand: command,
  electricityPriceUrl: url,
}: {
  readonly electricityCurrency?: string | undefined;
  readonly electricityCurrencyRate?: number | undefined;
  readonly electricityPrice?: ElectricityPrices | undefined;
  readonly electricityPriceCommand?: string | undefined;
  readonly electricityPriceUrl?: string | undefined;
}): readonly Problem[] {
  const problems: Problem[] = [];
  if (command !== undefined && url !== undefined)
    problems.push({
      where: '--electricity-price-url',
      what: 'and --electricity-price-command exclude each other',
      hint: 'leave one of them out',
    });
  if (code !== undefined && code !== 'USD' && rate === undefined)
    problems.push({
      where: '--electricity-currency-rate',
      what: `is missing: earnings are in US dollars, and prices of electricity in ${code}`,
      hint: `set how many US dollars one ${code} is`,
    });
  if (code === 'USD' && rate !== undefined && rate !== 1)
    problems.push({
      where: '--electricity-currency-rate',
      what: `is ${rate}, but the currency is the US dollar`,
      hint: 'name the currency by --electricity-currency, or leave the rate out',
    });
  const highest =
    prices && Math.max(prices.otherwise, ...prices.rules.map(({ price }) => price)) * (rate ?? 1);
  if (highest !== undefined && highest > LIMITS.tariff.price.max)
    problems.push({
      where: '--electricity-price',
      what: `is up to ${Number(highest.toPrecision(4))} US dollars per kWh`,
      hint: 'write the price of a kWh in whole units, 0.30 and not 30 cents, and name its currency',
    });
  return problems;
}
