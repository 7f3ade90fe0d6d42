import type { IdleUse } from '../../domain/ports/energy-store.ts';
import type { Electricity } from '../../pricing/electricity.ts';
import { dollars, microDollars } from '../../pricing/money.ts';
import { energyCost } from '../../pricing/power-cost.ts';
import { meanPrice } from '../../pricing/tariff.ts';
import type { GpuUse } from '../gpu-health/rollup-recorder.ts';

/** All time zones are whole quarters of an hour from UTC, so a quarter is of one day. */
const QUARTER_MS = 900_000;

type Sum = { readonly gpu: string; readonly at: number; readonly ms: number; readonly joules: number };

/** What GPUs took without a job and is not written yet, by GPU and quarter of an hour. */
export class IdleEnergy {
  readonly #electricity: Pick<Electricity, 'tariff' | 'wall'>;
  readonly #sums = new Map<string, Sum>();
  /** US dollars of each GPU that rounding has left out so far. */
  #rest: ReadonlyMap<string, number> = new Map();

  constructor(electricity: Pick<Electricity, 'tariff' | 'wall'>) {
    this.#electricity = electricity;
  }

  add({ at, gpu, joules, ms }: GpuUse): void {
    const quarter = Math.floor(at / QUARTER_MS) * QUARTER_MS;
    const key = `${gpu} ${quarter}`;
    const known = this.#sums.get(key) ?? { gpu, at: quarter, ms: 0, joules: 0 };
    this.#sums.set(key, { ...known, ms: known.ms + ms, joules: known.joules + joules });
  }

  /** What there is, with its cost, and what to call once that is written. */
  take(): { readonly uses: readonly IdleUse[]; written(): void } {
    const rest = new Map(this.#rest);
    const uses = [...this.#sums.values()].map((sum): IdleUse => {
      const cost = this.#costOf(sum);
      if (cost === undefined) return { ...sum, powerMicroDollars: undefined };
      const exact = cost + (rest.get(sum.gpu) ?? 0);
      const powerMicroDollars = microDollars(exact);
      rest.set(sum.gpu, exact - dollars(powerMicroDollars));
      return { ...sum, powerMicroDollars };
    });
    const written = (): void => {
      this.#sums.clear();
      this.#rest = rest;
    };
    return { uses, written };
  }

  #costOf({ at, joules }: Sum): number | undefined {
    const { tariff, wall } = this.#electricity;
    const prices = tariff();
    const price = prices && meanPrice(prices, at, at + QUARTER_MS);
    return price && energyCost(joules * wall.perGpuWatt, price.dollarsPerKWh);
  }
}
