import type { OfferPlan } from '../../domain/offer.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { PowerModel } from '../../domain/power-model.ts';
import type { Currency, PriceSource, SourcedElectricity } from '../../pricing/electricity.ts';
import { UNCALIBRATED, type WallPower } from '../../pricing/power-cost.ts';
import { meanPrice } from '../../pricing/tariff.ts';
import { ASK_MS, type Floors, type GpuFloor } from './floors.ts';

const US_DOLLAR: Currency = { code: 'USD', rate: 1 };

/** A price of electricity: US dollars per kWh and where it comes from; `known`: for which part of its time, 0 to 1. */
export type SourcedPrice = {
  readonly dollarsPerKWh: number;
  readonly known: number;
  readonly source: PriceSource;
};

/** What a GPU's floor is made of; undefined: not known. */
export type GpuTerms = {
  readonly gpu: string;
  readonly power: PowerModel;
  readonly floor: GpuFloor | undefined;
};

/** What a job of an hour costs that begins now. */
export type CostTerms = {
  readonly durationMs: number;
  readonly now: SourcedPrice | undefined;
  /** The mean over the duration. */
  readonly expected: SourcedPrice | undefined;
  readonly currency: Currency;
  readonly wall: WallPower;
  readonly isCalibrated: boolean;
  readonly wearPerHour: number;
  readonly brokerFee: number;
  readonly isStale: boolean;
  of(offer: Pick<OfferPlan, 'key' | 'slots'>): readonly GpuTerms[];
};

export type CostTermsDeps = {
  readonly electricity: SourcedElectricity;
  readonly floors: Pick<Floors, 'each'>;
  readonly powerModel: (gpu: string) => PowerModel;
  readonly clock: Pick<Clock, 'now'>;
};

/** Every term of the floors in force, for the owner. */
export function costTerms({ clock, electricity, floors, powerModel }: CostTermsDeps): CostTerms {
  const { brokerFee, isStale, wall, wearPerHour } = electricity;
  const now = clock.now();
  return {
    durationMs: ASK_MS,
    now: priceOver(electricity, now, now + 1),
    expected: priceOver(electricity, now, now + ASK_MS),
    currency: electricity.currency ?? US_DOLLAR,
    wall,
    isCalibrated: wall !== UNCALIBRATED,
    wearPerHour,
    brokerFee,
    isStale: isStale === true,
    of: (offer) => {
      const known = floors.each(offer, ASK_MS);
      const gpus = new Set(offer.slots.flatMap(({ gpu }) => gpu ?? []));
      return [...gpus].map((gpu) => {
        const floor = known.find((one) => one.gpu === gpu);
        // A floor is remembered for a minute, and what it was made of with it.
        return { gpu, power: floor?.power ?? powerModel(gpu), floor };
      });
    },
  };
}

function priceOver(electricity: SourcedElectricity, from: number, until: number): SourcedPrice | undefined {
  const tariff = electricity.tariff();
  const mean = tariff && meanPrice(tariff, from, until);
  return mean && { ...mean, source: electricity.source?.(from, until) ?? 'configured' };
}
