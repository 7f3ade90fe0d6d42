import type { Config } from './config/config.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { Zone } from './domain/schedule/zone.ts';
import { waitAtMost } from './lib/deadline.ts';
import type { Log } from './lib/log.ts';
import type { SourcedElectricity } from './pricing/electricity.ts';
import { UNCALIBRATED } from './pricing/power-cost.ts';
import { PricedAhead, withFallback } from './pricing/priced-ahead.ts';
import { flatTariff, PublishedPrices, type Tariff, TimeOfUse } from './pricing/tariff.ts';
import { PriceFeed } from './tariff/price-feed.ts';
import type { PublishedPoint } from './tariff/price-points.ts';
import { commandPrices, type PriceText, urlPrices } from './tariff/sources.ts';

/** How long a reading that is under way may take to end with the agent. */
const END_MS = 400;

/** What power costs, as the configuration in force says, until it is disposed of. */
export type OpenElectricity = Required<SourcedElectricity> & AsyncDisposable;

export type ElectricityParts = {
  /** In force now; the same object until a reload. */
  readonly config: () => Config;
  /** In which windows of prices are. */
  readonly zone: () => Zone;
  readonly stateDir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly random: () => number;
};

/** Begins to read prices of electricity where they are published. */
export function openElectricity(parts: ElectricityParts): OpenElectricity {
  const feed = feedOf(parts);
  const ended = new AbortController();
  const working = feed?.work(ended.signal).catch((thrown: unknown) => {
    parts.log.error({ event: 'task-failed', err: thrown }, 'reading prices of electricity ended');
  });
  const tariff = latest((config: Config, zone: Zone, points: readonly PublishedPoint[] | undefined) =>
    tariffOf(config, zone, points),
  );
  return {
    tariff: () => tariff(parts.config(), parts.zone(), feed?.points),
    get wall() {
      return parts.config().powerCalibration?.wall ?? UNCALIBRATED;
    },
    get wearPerHour() {
      return parts.config().wearPerHour;
    },
    get brokerFee() {
      return parts.config().brokerFee;
    },
    get currency() {
      const { electricityCurrency: code, electricityCurrencyRate: rate = 1 } = parts.config();
      return { code, rate };
    },
    get isStale() {
      return feed?.isStale === true;
    },
    source: (from, until) => {
      if (feed?.covers(from, until) === true) return 'published';
      const hasNone = feed === undefined || feed.points.length === 0;
      return hasNone || hasOwnPrice(parts.config()) ? 'configured' : 'assumed';
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      if (working !== undefined) await waitAtMost(END_MS, working);
    },
  };
}

function feedOf({ clock, config, log, random, stateDir }: ElectricityParts): PriceFeed | undefined {
  const source = priceSource(config());
  if (source === undefined) return undefined;
  const rate = (): number => config().electricityCurrencyRate ?? 1;
  const hasFallback = (): boolean => hasOwnPrice(config());
  return new PriceFeed({ source, rate, hasFallback, stateDir, clock, log, random });
}

function hasOwnPrice({ electricityPrice }: Pick<Config, 'electricityPrice'>): boolean {
  return electricityPrice !== undefined;
}

/** Where prices are published, by the configuration; undefined: nowhere. */
export function priceSource(config: Config): PriceText | undefined {
  const { electricityPriceCommand: command, electricityPriceUrl: url } = config;
  if (url !== undefined) return urlPrices(url, config);
  return command === undefined ? undefined : commandPrices(command);
}

/**
 * The tariff in US dollars: what is published, and where nothing is, the owner’s own price, else one that follows from what was.
 * Undefined: no price is known.
 */
export function tariffOf(
  { electricityCurrencyRate: rate = 1, electricityPrice: prices }: Config,
  zone: Zone,
  points: readonly PublishedPoint[] | undefined,
): Tariff | undefined {
  const configured =
    prices &&
    (prices.rules.length === 0
      ? flatTariff(prices.otherwise * rate)
      : new TimeOfUse(
          prices.rules.map(({ price, window }) => ({ window, dollarsPerKWh: price * rate })),
          zone,
          prices.otherwise * rate,
        ));
  if (points === undefined || points.length === 0) return configured;
  const published = points.map(({ price, ...span }) => ({ ...span, dollarsPerKWh: price * rate }));
  return configured === undefined
    ? new PricedAhead(published, zone)
    : withFallback(new PublishedPrices(published), configured);
}

/** Computes again only where something has changed. */
function latest<Inputs extends readonly unknown[], T>(
  compute: (...inputs: Inputs) => T,
): (...inputs: Inputs) => T {
  let known: { readonly inputs: Inputs; readonly value: T } | undefined;
  return (...inputs) => {
    if (known === undefined || inputs.some((input, index) => input !== known?.inputs[index]))
      known = { inputs, value: compute(...inputs) };
    return known.value;
  };
}
