import { z } from 'zod';

const FIGURE = z.number().nullable();

/** A price of a kWh in US dollars. */
const PRICE = z.object({
  dollarsPerKWh: z.number(),
  /** For which part of the time one is known, 0 to 1. */
  known: z.number(),
  /** Assumed: none is published for all of the time. */
  source: z.enum(['configured', 'published', 'assumed']),
});

/** What a job on a GPU costs. US dollars per minute; what is not known is null. */
const GPU_TERMS = z.object({
  gpu: z.string(),
  /** Watts of the GPU without and with a job. */
  idleW: FIGURE,
  busyW: FIGURE,
  /** `jobs`: the most that one of the latest jobs took, of which `jobs` is the number; else the power limit. */
  busyFrom: z.enum(['jobs', 'power-limit']),
  jobs: z.int(),
  /** More watts at the wall while a job runs. */
  marginalW: FIGURE,
  /** The price that counts: the dearer one of a job that begins now and in a minute, and never below 0. */
  dollarsPerKWh: FIGURE,
  power: FIGURE,
  wear: FIGURE,
  /** The part of busy minutes that is paid. */
  paidShare: FIGURE,
  floor: FIGURE,
  /** What the ask leaves of an hour of work after power, wear, the broker's fee and unpaid minutes; US dollars. */
  leftPerHour: FIGURE,
});

/** Every term of the floors. */
export const PRICE_TERMS_VIEW = z.object({
  /** How long the job takes that the figures are of, in milliseconds. */
  durationMs: z.number(),
  priceNow: PRICE.nullable(),
  /** The mean over that time; null: no price is set. */
  price: PRICE.nullable(),
  /** That of the prices as they are set or published, and the US dollars of one of its units. */
  currency: z.string(),
  currencyRate: z.number(),
  /** Prices are published, and none is for now. */
  isStale: z.boolean(),
  /** Watts at the wall for one of the GPU, and more that the host takes during a job. */
  perGpuWatt: z.number(),
  hostW: z.number(),
  isCalibrated: z.boolean(),
  /** US dollars. */
  wearPerHour: z.number(),
  /** 0 to below 1. */
  brokerFee: z.number(),
  offers: z
    .array(
      z.object({
        offer: z.string(),
        /** In force, US dollars per job and minute. */
        ask: z.number(),
        /** The highest of its GPUs'. */
        floor: FIGURE,
        gpus: z.array(GPU_TERMS).readonly(),
      }),
    )
    .readonly(),
});
