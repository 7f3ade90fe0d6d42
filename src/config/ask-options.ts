import type { OfferPlan } from '../domain/offer.ts';
import { STRATEGY_NAMES, type StrategyName } from '../pricing/strategy/strategies.ts';
import { type GpuSettings, gpuSettings } from './gpu-settings.ts';
import { factor, price } from './number-types.ts';
import type { Option } from './option.ts';
import type { Problem } from './problem.ts';
import { choice } from './text-types.ts';

/** The options of what offers ask, beside `--ask-price`; a part of the table of all options. */
export const ASK_OPTIONS = {
  askStrategy: {
    name: 'ask-strategy',
    env: 'SHAREDCLOUD_ASK_STRATEGY',
    type: choice(...STRATEGY_NAMES),
    default: 'fixed',
    help: 'how offers change what they ask, at most once an hour, beginning with `--ask-price`; see docs/prices.md',
    group: 'Money',
  },
  askMin: {
    name: 'ask-min',
    env: 'SHAREDCLOUD_ASK_MIN',
    type: price,
    unset: 'none',
    help: 'the least that a strategy may ask, in US dollars per job and minute',
    group: 'Money',
  },
  askMax: {
    name: 'ask-max',
    env: 'SHAREDCLOUD_ASK_MAX',
    type: price,
    unset: 'none',
    help: 'the most that a strategy may ask, in US dollars per job and minute; where a job costs more than this, none is taken',
    group: 'Money',
  },
  floorMargin: {
    name: 'floor-margin',
    env: 'SHAREDCLOUD_FLOOR_MARGIN',
    type: factor(1, 100),
    default: '1.5',
    help: 'what the strategy `floor` multiplies the floor by',
    group: 'Money',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** What an offer may ask, in US dollars per job and minute. */
export type AskRange = {
  readonly askPrice?: number | undefined;
  readonly askMin?: number | undefined;
  readonly askMax?: number | undefined;
};

/** What the owner sets for an offer, whose limits are those of the table of its GPU model, else the general ones. Pure. */
export function askSettings(
  {
    askMax,
    askMin,
    askStrategy: strategy,
    floorMargin,
    gpus,
  }: AskRange & {
    readonly askStrategy: StrategyName;
    readonly floorMargin: number;
    readonly gpus: readonly GpuSettings[];
  },
  { kind, name }: Pick<OfferPlan, 'kind' | 'name'>,
) {
  // A slice of a GPU has its profile behind the model's name.
  const own = kind === 'gpu' ? gpuSettings(gpus, name.replace(/ MIG \S+$/, '')) : undefined;
  return { strategy, min: own?.askMin ?? askMin, max: own?.askMax ?? askMax, floorMargin };
}

/** What is wrong with the limits of asks: of the general options, and of each GPU's table that has any of them. Pure. */
export function askProblems(general: AskRange, gpus: readonly GpuSettings[]): readonly Problem[] {
  const tables = gpus
    .filter(({ askMax, askMin, askPrice }) => [askMax, askMin, askPrice].some((one) => one !== undefined))
    .flatMap((gpu) =>
      rangeProblems(`gpu."${gpu.model}"`, {
        askPrice: gpu.askPrice ?? general.askPrice,
        askMin: gpu.askMin ?? general.askMin,
        askMax: gpu.askMax ?? general.askMax,
      }),
    );
  return [...rangeProblems('--ask-price', general), ...tables];
}

function rangeProblems(where: string, { askMax, askMin, askPrice }: AskRange): readonly Problem[] {
  if (askMin !== undefined && askMax !== undefined && askMin > askMax) {
    const what = `ask-min (${askMin}) is more than ask-max (${askMax})`;
    return [{ where, what, hint: 'set ask-min to ask-max or less' }];
  }
  if (askPrice === undefined) return [];
  const hint = 'set ask-price from ask-min to ask-max';
  if (askMin !== undefined && askPrice < askMin)
    return [{ where, what: `ask-price (${askPrice}) is less than ask-min (${askMin})`, hint }];
  if (askMax !== undefined && askPrice > askMax)
    return [{ where, what: `ask-price (${askPrice}) is more than ask-max (${askMax})`, hint }];
  return [];
}
