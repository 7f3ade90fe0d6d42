import type { AgentError } from '../../domain/errors.ts';
import {
  type CatalogueGpu,
  GPU_FAULT_HINT,
  type Gpu,
  type GpuReading,
  sharesHostMemory,
} from '../../domain/gpu.ts';
import { namedCatalogue } from '../../domain/named-catalogue.ts';
import { type OfferSettings, planOffers, slotNotes } from '../../domain/plan-offers.ts';
import { isWsl, JETSON_FAULT, type Platform } from '../../domain/platform.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type QueryResult, valueOf } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';

/** The GPUs of this host and of the broker's catalogue. */
export type GpuInspection = {
  readonly reading: QueryResult<GpuReading>;
  /** PCI addresses of Nvidia's cards, whether or not a driver runs them. */
  readonly cards: readonly string[];
  readonly catalogue: QueryResult<readonly CatalogueGpu[]>;
};

/** The driver, then each GPU and its catalogue entry. */
export function checkGpus(seen: GpuInspection, settings: OfferSettings): readonly CheckResult[] {
  if ('error' in seen.reading) return [checkNoGpus(seen.reading.error, seen.cards, settings.cpuSlots)];
  const { gpus, notices } = seen.reading.value;
  const driver = ok('driver', `${gpus[0]?.driver ?? 'unknown'}, ${count(gpus.length, 'GPU')}`);
  const entries = valueOf(seen.catalogue) ?? [];
  return [
    driver,
    ...checkCards(seen.cards, gpus.length),
    ...notices.map(({ hint, text }) => warn('nvidia-smi', `it says: ${text}`, hint)),
    ...gpus.flatMap((gpu) => checkGpu(gpu, entries, settings)),
    ...checkCatalogue(seen.catalogue),
  ];
}

/** Whether Xids can be read: without them a sick GPU is noticed later, and its failures may look like the jobs' own. */
export function checkKernelLog(answer: QueryResult<void>, platform: Platform = 'linux'): CheckResult {
  if (isWsl(platform))
    return ok('kernel log', 'not needed: under WSL the driver reports its errors to Windows');
  if ('error' in answer) return fromError('kernel log', answer.error, 'warn');
  return ok('kernel log', 'readable, for the driver’s error reports (Xid)');
}

/** How many CPU jobs may run at once. */
export function checkCpuJobs(cpuSlots: number): CheckResult {
  return ok('cpu jobs', cpuSlots === 0 ? 'none offered (--cpu-slots 0)' : `${cpuSlots} at once`);
}

function checkNoGpus(error: AgentError, cards: readonly string[], cpuSlots: number): CheckResult {
  const idle =
    cards.length === 0
      ? ''
      : `; ${count(cards.length, 'Nvidia card')} without a working driver (${cards.join(', ')})`;
  const found = `${error.message}${idle}`;
  if (cpuSlots > 0) return warn('driver', `${found}; only CPU jobs are offered`, error.hint);
  const hint = error.hint === undefined || error.hint === '' ? 'check that nvidia-smi works' : error.hint;
  const other = hint.includes('--cpu-slots') ? '' : '; or offer CPU jobs with --cpu-slots';
  return fail('driver', found, `${hint}${other}`);
}

function checkCards(cards: readonly string[], gpus: number): readonly CheckResult[] {
  if (cards.length <= gpus) return [];
  const found = `${count(cards.length, 'Nvidia card')} in this host (${cards.join(', ')}), ${gpus} in nvidia-smi`;
  return [warn('driver', found, 'look for the others in the kernel’s log: journalctl -k | grep -i nvrm')];
}

/** One result for all GPUs where the catalogue has no entries. */
function checkCatalogue(catalogue: QueryResult<readonly CatalogueGpu[]>): readonly CheckResult[] {
  const entries = valueOf(catalogue);
  if (entries === undefined) return [warn('gpu entries', 'unknown: the broker’s catalogue was not read')];
  if (entries.length > 0) return [];
  return [fail('gpu entries', 'no GPU can be offered: the catalogue is empty', 'see the broker’s line')];
}

function checkGpu(
  gpu: Gpu,
  entries: readonly CatalogueGpu[],
  settings: OfferSettings,
): readonly CheckResult[] {
  const check = `gpu ${gpu.index}`;
  const found = describeGpu(gpu);
  if (gpu.fault !== undefined) {
    // CPU jobs can run all the same on a host whose GPU is not supported.
    const isNoFailure = gpu.faultHint === JETSON_FAULT.hint && settings.cpuSlots > 0;
    const result = isNoFailure ? warn : fail;
    return [result(check, `${found}: ${gpu.fault}`, gpu.faultHint ?? GPU_FAULT_HINT)];
  }
  const warnings = (gpu.warnings ?? []).map(({ hint, why }) => warn(check, why, hint));
  const slots = slotNotes(gpu, settings.gpu(gpu.model)).map(({ hint, why }) =>
    warn(`${check} slots`, why, hint),
  );
  const entry = entries.length === 0 ? [] : [checkEntry(`${check} entry`, gpu, entries, settings)];
  return [ok(check, found), ...warnings, ...entry, ...slots];
}

/** Which catalogue entry the GPU has, whatever its price. */
function checkEntry(
  check: string,
  gpu: Gpu,
  entries: readonly CatalogueGpu[],
  settings: OfferSettings,
): CheckResult {
  const priced: OfferSettings = {
    ...settings,
    cpuSlots: 0,
    gpu: (model) => ({ ...settings.gpu(model), askPrice: settings.gpu(model).askPrice ?? 0 }),
  };
  const { offers, problems } = planOffers([gpu], namedCatalogue(entries), priced);
  const [problem] = problems;
  if (problem !== undefined) return fail(check, problem.why, problem.hint);
  const entry = offers[0]?.gpu;
  const slots = offers.reduce((sum, offer) => sum + offer.slots.length, 0);
  const codename = entry?.codename ? ` (${entry.codename})` : '';
  return ok(check, `${entry?.name ?? 'none'}${codename}, ${count(slots, 'slot')}`);
}

/** A GPU in one line, without what nvidia-smi does not report. */
function describeGpu(gpu: Gpu): string {
  const { memoryTotalMiB, powerDrawW, powerLimitW, temperatureC } = gpu;
  const watts = [powerDrawW, powerLimitW].filter((power) => power !== undefined).map(Math.round);
  const parts = [
    `${gpu.model} (${shortIds(gpu.uuid)})`,
    memoryTotalMiB === undefined ? undefined : `${memoryTotalMiB} MiB`,
    sharesHostMemory(gpu) && gpu.fault === undefined ? 'memory shared with the host' : undefined,
    temperatureC === undefined ? undefined : `${temperatureC} °C`,
    powerDrawW === undefined ? undefined : `${watts.join(' of ')} W`,
    gpu.migMode ? `MIG: ${gpu.slices.map(({ profile }) => profile).join(', ') || 'no slices'}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
