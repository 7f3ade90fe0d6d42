import type { OfferView, Overview, TargetView } from '../agent/owner/overview.ts';
import { SKIP_REASONS, type SkipReason } from '../domain/decide.ts';
import type { CordonSource } from '../domain/gpu-cordon.ts';
import { isThermal } from '../domain/gpu-sample.ts';
import { CPU_TARGET, HOLD_KINDS } from '../domain/hold.ts';
import { type MetricValues, valuesOf } from './metric.ts';
import { METRICS } from './table.ts';

const REASONS = Object.keys(SKIP_REASONS).filter((reason): reason is SkipReason =>
  Object.hasOwn(SKIP_REASONS, reason),
);
const MIB = 1024 ** 2;
const SLOT_STATES = ['used', 'free', 'held', 'cordoned', 'waiting'] as const;
const CORDON_SOURCES = [
  'probe',
  'xid',
  'breaker',
  'memory',
  'memory-leak',
  'temperature',
  'test',
] as const satisfies readonly CordonSource[];
/** What is safety is in the cordons. */
const PAUSE_REASONS = HOLD_KINDS.filter((kind) => kind !== 'safety');

/** The offers and GPUs as they are now. Pure. */
export function agentValues({ offers, targets }: ReturnType<Overview['glance']>): readonly MetricValues[] {
  return [...offerValues(offers), ...gpuValues(targets.filter(({ target }) => target !== CPU_TARGET))];
}

function offerValues(offers: readonly OfferView[]): readonly MetricValues[] {
  return [
    valuesOf(
      METRICS.runsOpen,
      offers.map(({ offer, runs }) => [{ offer: offer.key }, runs]),
    ),
    valuesOf(
      METRICS.runsSkipped,
      offers.flatMap(({ offer, skips }) =>
        skips === undefined
          ? []
          : REASONS.map((reason) => [{ offer: offer.key, reason }, skips.get(reason) ?? 0] as const),
      ),
    ),
    valuesOf(
      METRICS.ask,
      offers.map(({ offer }) => [{ offer: offer.key }, offer.askPrice]),
    ),
    valuesOf(
      METRICS.offerOnMarket,
      offers.map(({ offer, suspended }) => [{ offer: offer.key }, Number(suspended === undefined)]),
    ),
    valuesOf(
      METRICS.slots,
      offers.flatMap(({ offer, states }) =>
        SLOT_STATES.map((state) => [{ offer: offer.key, state }, states[state]] as const),
      ),
    ),
  ];
}

function gpuValues(targets: readonly TargetView[]): readonly MetricValues[] {
  // All slices of a GPU have its sample.
  const samples = [
    ...new Map(
      targets.flatMap(({ gpu, sample, target }) =>
        sample === undefined ? [] : [[gpu?.uuid ?? target, sample] as const],
      ),
    ),
  ];
  const each = <T>(value: (sample: (typeof samples)[number][1]) => T) =>
    samples.map(([gpu, sample]) => [{ gpu }, value(sample)] as const);
  return [
    valuesOf(METRICS.gpuInfo, targets.flatMap(infoOf)),
    valuesOf(
      METRICS.gpuUtilization,
      each(({ utilizationPercent }) => part(utilizationPercent)),
    ),
    valuesOf(
      METRICS.gpuMemory,
      samples.flatMap(([gpu, { memoryFreeMiB, memoryUsedMiB }]) => [
        [{ gpu, state: 'used' }, bytes(memoryUsedMiB)] as const,
        [{ gpu, state: 'free' }, bytes(memoryFreeMiB)] as const,
      ]),
    ),
    valuesOf(
      METRICS.gpuTemperature,
      each(({ temperatureC }) => temperatureC),
    ),
    valuesOf(
      METRICS.gpuPower,
      each(({ powerW }) => powerW),
    ),
    valuesOf(
      METRICS.gpuPowerLimit,
      each(({ powerLimitW }) => powerLimitW),
    ),
    valuesOf(
      METRICS.gpuFan,
      each(({ fanPercent }) => part(fanPercent)),
    ),
    valuesOf(
      METRICS.gpuThrottled,
      each((sample) => Number(isThermal(sample))),
    ),
    valuesOf(
      METRICS.gpuAsleep,
      each(({ asleep }) => Number(asleep)),
    ),
    valuesOf(
      METRICS.gpuCordoned,
      targets.flatMap(({ cordonedBy, target }) =>
        CORDON_SOURCES.map(
          (reason) => [{ gpu: target, reason }, Number(cordonedBy.includes(reason))] as const,
        ),
      ),
    ),
    valuesOf(
      METRICS.gpuPaused,
      targets.flatMap(({ heldBy, target }) =>
        PAUSE_REASONS.map((reason) => [{ gpu: target, reason }, Number(heldBy === reason)] as const),
      ),
    ),
  ];
}

/** A slice has its GPU's figures under the GPU's uuid, so both are named. */
function infoOf({ gpu, target }: TargetView) {
  if (gpu === undefined) return [];
  const own = { index: String(gpu.index), model: gpu.model };
  const slice = gpu.slices.find(({ uuid }) => uuid === target);
  const whole = [{ gpu: gpu.uuid, ...own, profile: '' }, 1] as const;
  if (slice === undefined) return [whole];
  const isFirst = gpu.slices[0]?.uuid === target;
  return [...(isFirst ? [whole] : []), [{ gpu: target, ...own, profile: slice.profile }, 1] as const];
}

function part(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}

function bytes(mebibytes: number | undefined): number | undefined {
  return mebibytes === undefined ? undefined : mebibytes * MIB;
}
