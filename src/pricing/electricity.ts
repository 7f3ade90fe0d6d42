import { UNCALIBRATED, type WallPower } from './power-cost.ts';
import type { Tariff } from './tariff.ts';

/** Where a price comes from; assumed: nothing is published for the time, so that it follows from what was. */
export type PriceSource = 'configured' | 'published' | 'assumed';

/** The currency of prices, and the US dollars of one of its units. */
export type Currency = { readonly code: string; readonly rate: number };

/** What power costs on this host, and what else a job costs beside it. */
export type Electricity = {
  /** In force now; undefined: no price is known. */
  tariff(): Tariff | undefined;
  readonly wall: WallPower;
  /** What an hour of work wears off the hardware of a GPU, in US dollars. */
  readonly wearPerHour: number;
  /** The broker's part of each dollar, from 0 to below 1. */
  readonly brokerFee: number;
};

/** The same, and what is known of its prices. */
export type SourcedElectricity = Electricity & {
  /** Prices are published, and none is known for now. */
  readonly isStale?: boolean;
  /** That of the prices; absent: US dollars. */
  readonly currency?: Currency;
  /** Of the prices from one instant to another; absent: configured. */
  source?(from: number, until: number): PriceSource;
};

/** Of an owner who has named no price. */
export const NO_PRICE: Electricity = {
  tariff: () => undefined,
  wall: UNCALIBRATED,
  wearPerHour: 0,
  brokerFee: 0,
};
