import { energyCost } from './power-cost.ts';

/** What the lowest price depends on at which a job loses no money. */
export type FloorTerms = {
  /** Watts at the wall that the GPU takes more at work than idle. */
  readonly marginalW: number;
  /** US dollars, the mean over the time that a job is expected to take. */
  readonly dollarsPerKWh: number;
  /** What an hour of work wears off the hardware, in US dollars. */
  readonly wearPerHour: number;
  /** The broker's part of each dollar, from 0 to below 1. */
  readonly brokerFee: number;
  /** The part of busy minutes that is paid, above 0 up to 1: failures, releases and starts are not. */
  readonly paidShare: number;
};

/** The floor and what it is made of, in US dollars per minute of one GPU. */
export type Floor = {
  readonly perMinute: number;
  readonly power: number;
  readonly wear: number;
  readonly terms: FloorTerms;
};

/** The price per minute below which a job costs more than it brings. Pure. */
export function floorOf(terms: FloorTerms): Floor {
  const { brokerFee, dollarsPerKWh, marginalW, paidShare, wearPerHour } = terms;
  const power = energyCost(marginalW * 60, dollarsPerKWh);
  const wear = wearPerHour / 60;
  return { perMinute: (power + wear) / ((1 - brokerFee) * paidShare), power, wear, terms };
}

/** What is assumed before there are jobs, and how much it weighs: the first few jobs say little. */
const PRIOR_MINUTES = 60;
const PRIOR_SHARE = 0.9;

/** The share of busy minutes that is paid, by what was; a young history is mixed with an hour of the usual 90 %. Pure. */
export function paidShareOf(paidMinutes: number, busyMinutes: number): number {
  return (paidMinutes + PRIOR_MINUTES * PRIOR_SHARE) / (Math.max(busyMinutes, paidMinutes) + PRIOR_MINUTES);
}
