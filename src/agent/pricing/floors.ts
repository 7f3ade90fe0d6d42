import type { OfferPlan } from '../../domain/offer.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { PaidTime } from '../../domain/ports/job-sums.ts';
import type { PowerModel } from '../../domain/power-model.ts';
import type { SourcedElectricity } from '../../pricing/electricity.ts';
import { type Floor, floorOf, paidShareOf } from '../../pricing/floor.ts';
import { marginalWatts } from '../../pricing/power-cost.ts';
import { type MeanPrice, meanPrice, type Tariff } from '../../pricing/tariff.ts';
import type { OfferCost } from './pricer.ts';

const MINUTE_MS = 60_000;
/** An ask is set for jobs of so long; a run whose jobs take longer is looked at by itself. */
export const ASK_MS = 60 * MINUTE_MS;
/** So long a floor is remembered: prices change by the hour, measured watts by the job. */
const REMEMBER_MS = MINUTE_MS;
/** So many are remembered: one for each duration. */
const MAX_REMEMBERED = 10_000;

/** The floor of one GPU and what it comes from. */
export type GpuFloor = {
  readonly gpu: string;
  readonly power: PowerModel;
  readonly price: MeanPrice;
  readonly floor: Floor;
};

export type FloorsDeps = {
  readonly electricity: SourcedElectricity;
  /** By the uuid of a GPU or slice. */
  readonly powerModel: (gpu: string) => PowerModel;
  /** Of the latest jobs. */
  readonly paidTime: () => PaidTime;
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
};

type Slots = Pick<OfferPlan, 'key' | 'slots'>;

/** What jobs cost on this host, by GPU and by how long they take. */
export class Floors {
  readonly #deps: FloorsDeps;
  readonly #known = new Map<string, GpuFloor | undefined>();
  #tariff: Tariff | undefined;
  #paidShare = 1;
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor(deps: FloorsDeps) {
    this.#deps = deps;
  }

  /** What a job of an offer costs that begins now; undefined: not known, or no GPU is in it. */
  cost(offer: Slots): OfferCost | undefined {
    const highest = this.highest(offer, ASK_MS);
    if (highest === undefined) return undefined;
    const { perMinute, power, terms, wear } = highest.floor;
    return {
      floor: perMinute,
      costPerMinute: power + wear,
      paidShare: terms.paidShare,
      isStale: this.#deps.electricity.isStale === true,
    };
  }

  /** The floor of a job that takes so long on the dearest GPU of an offer; undefined: not known. */
  highest(offer: Slots, durationMs: number): GpuFloor | undefined {
    return this.each(offer, durationMs).reduce<GpuFloor | undefined>(
      (a, b) => (a === undefined || b.floor.perMinute > a.floor.perMinute ? b : a),
      undefined,
    );
  }

  /** The floors of all GPUs of an offer that are known. */
  each({ key, slots }: Slots, durationMs: number): readonly GpuFloor[] {
    this.#forgetOld();
    const gpus = new Set(slots.flatMap(({ gpu }) => gpu ?? []));
    return [...gpus].flatMap((gpu) => {
      const name = `${key} ${gpu} ${durationMs}`;
      if (!this.#known.has(name)) this.#known.set(name, this.#floorOf(gpu, durationMs));
      return this.#known.get(name) ?? [];
    });
  }

  #floorOf(gpu: string, durationMs: number): GpuFloor | undefined {
    const { clock, electricity, powerModel } = this.#deps;
    const price = this.#price(clock.now(), durationMs);
    const power = powerModel(gpu);
    if (price === undefined || power.busyW === undefined) return undefined;
    const floor = floorOf({
      marginalW: marginalWatts(power.busyW, power.idleW ?? 0, electricity.wall),
      // At a price below zero a job costs no less than its wear.
      dollarsPerKWh: Math.max(0, price.dollarsPerKWh),
      wearPerHour: electricity.wearPerHour,
      brokerFee: electricity.brokerFee,
      paidShare: this.#paidShare,
    });
    return { gpu, power, price, floor };
  }

  /** The dearer one of a job that begins now and of one that begins when this is forgotten. */
  #price(now: number, durationMs: number): MeanPrice | undefined {
    const tariff = this.#tariff;
    const prices = [now, now + REMEMBER_MS].flatMap(
      (from) => (tariff && meanPrice(tariff, from, from + durationMs)) ?? [],
    );
    const [first, later] = prices;
    return later !== undefined && first !== undefined && later.dollarsPerKWh > first.dollarsPerKWh
      ? later
      : first;
  }

  #forgetOld(): void {
    const { clock, electricity, paidTime } = this.#deps;
    const now = clock.monotonic();
    // Another tariff is one of another configuration, too.
    const tariff = electricity.tariff();
    const isFresh = now - this.#knownAt < REMEMBER_MS && this.#known.size < MAX_REMEMBERED;
    if (isFresh && tariff === this.#tariff) return;
    this.#known.clear();
    this.#knownAt = now;
    this.#tariff = tariff;
    const { busyMs, paidMs } = paidTime();
    this.#paidShare = paidShareOf(paidMs / MINUTE_MS, busyMs / MINUTE_MS);
  }
}
