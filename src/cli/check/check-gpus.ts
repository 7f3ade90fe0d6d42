import type { AgentError } from '../../domain/errors.ts';
import type { CatalogueGpu, Gpu } from '../../domain/gpu.ts';
import { type OfferSettings, planOffers } from '../../domain/plan-offers.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type QueryResult, valueOf } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';

/** The GPUs of this host and of the broker's catalogue. */
export type GpuInspection = {
  readonly gpus: QueryResult<readonly Gpu[]>;
  /** PCI addresses of Nvidia's cards, whether or not a driver runs them. */
  readonly cards: readonly string[];
  readonly catalogue: QueryResult<readonly CatalogueGpu[]>;
};

/** The driver, then each GPU and its catalogue entry. */
export function checkGpus(seen: GpuInspection, settings: OfferSettings): readonly CheckResult[] {
  if ('error' in seen.gpus) return [checkNoGpus(seen.gpus.error, seen.cards, settings.cpuSlots)];
  const gpus = seen.gpus.value;
  const driver = ok('driver', `${gpus[0]?.driver ?? 'unknown'}, ${count(gpus.length, 'GPU')}`);
  const entries = valueOf(seen.catalogue) ?? [];
  return [
    driver,
    ...checkCards(seen.cards, gpus.length),
    ...gpus.flatMap((gpu) => checkGpu(gpu, entries, settings)),
    ...checkCatalogue(seen.catalogue),
  ];
}

/** Whether Xids can be read: without them a sick GPU is noticed later, and its failures may look like the jobs' own. */
export function checkKernelLog(answer: QueryResult<void>): CheckResult {
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
  const hint = error.hint === undefined || error.hint === '' ? 'install the Nvidia driver' : error.hint;
  return fail(
    'driver',
    found,
    `${hint}${hint.endsWith('?') ? ' Or' : '; or'} offer CPU jobs with --cpu-slots`,
  );
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
  if (gpu.fault !== undefined)
    return [
      fail(
        check,
        `${found}: ${gpu.fault}`,
        'see nvidia-smi and the kernel’s log (journalctl -k | grep Xid); the GPU may need a reset',
      ),
    ];
  const entry = entries.length === 0 ? [] : [checkEntry(`${check} entry`, gpu, entries, settings)];
  return [ok(check, found), ...entry];
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
  const { offers, problems } = planOffers([gpu], entries, priced);
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
    temperatureC === undefined ? undefined : `${temperatureC} °C`,
    powerDrawW === undefined ? undefined : `${watts.join(' of ')} W`,
    gpu.migMode ? `MIG: ${gpu.slices.map(({ profile }) => profile).join(', ') || 'no slices'}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
