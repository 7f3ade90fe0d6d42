import type { z } from 'zod';
import type { Agent } from '../agent/agent.ts';
import type { CostTerms, GpuTerms } from '../agent/pricing/cost-terms.ts';
import type { PRICE_TERMS_VIEW } from '../control-api/price-terms-view.ts';

type Terms = z.output<typeof PRICE_TERMS_VIEW>;
type Gpu = Terms['offers'][number]['gpus'][number];

/** The terms of all floors as the API shows them. */
export function priceTermsAnswer({ costs, pricer }: Pick<Agent, 'costs' | 'pricer'>): Terms {
  const { brokerFee, currency, durationMs, expected, isCalibrated, isStale, now, wall, wearPerHour } = costs;
  return {
    durationMs,
    priceNow: now ?? null,
    price: expected ?? null,
    currency: currency.code,
    currencyRate: currency.rate,
    isStale,
    ...wall,
    isCalibrated,
    wearPerHour,
    brokerFee,
    offers: pricer.views.map(({ slots, state: { ask, offer } }) => {
      const gpus = costs.of({ key: offer, slots }).map((gpu) => gpuAnswer(gpu, costs, ask));
      const floors = gpus.flatMap(({ floor }) => floor ?? []);
      return { offer, ask, floor: floors.length === 0 ? null : Math.max(...floors), gpus };
    }),
  };
}

function gpuAnswer({ floor: known, gpu, power }: GpuTerms, { brokerFee }: CostTerms, ask: number): Gpu {
  const floor = known?.floor;
  return {
    gpu,
    idleW: power.idleW ?? null,
    busyW: power.busyW ?? null,
    busyFrom: power.isMeasured ? 'jobs' : 'power-limit',
    jobs: power.jobs,
    marginalW: floor?.terms.marginalW ?? null,
    dollarsPerKWh: floor?.terms.dollarsPerKWh ?? null,
    power: floor?.power ?? null,
    wear: floor?.wear ?? null,
    paidShare: floor?.terms.paidShare ?? null,
    floor: floor?.perMinute ?? null,
    leftPerHour:
      floor === undefined
        ? null
        : 60 * (ask * (1 - brokerFee) * floor.terms.paidShare - floor.power - floor.wear),
  };
}
