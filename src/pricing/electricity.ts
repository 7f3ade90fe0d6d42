import { UNCALIBRATED, type WallPower } from './power-cost.ts';
import type { Tariff } from './tariff.ts';

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

/** Of an owner who has named no price. */
export const NO_PRICE: Electricity = {
  tariff: () => undefined,
  wall: UNCALIBRATED,
  wearPerHour: 0,
  brokerFee: 0,
};
