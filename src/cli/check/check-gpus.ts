import type { AgentError } from '../../domain/errors.ts';
import type { CatalogueGpu, Gpu } from '../../domain/gpu.ts';
import { type OfferSettings, planOffers } from '../../domain/plan-offers.ts';
import { count } from '../count.ts';
import { type QueryResult, valueOf } from '../query.ts';
import { type CheckResult, fail, ok, troubled, warn } from './check-result.ts';

/** What was seen of GPUs, here and at the broker. */
export type GpuInspection = {
  readonly gpus: QueryResult<readonly Gpu[]>;
  /** PCI addresses of Nvidia's cards, whether or not a driver runs them. */
  readonly cards: readonly string[];
  readonly catalogue: QueryResult<readonly CatalogueGpu[]>;
};

/** The driver, then each GPU with its entry at the broker. Without any GPU, CPU jobs may still be offered. */
export function checkGpus(seen: GpuInspection, settings: OfferSettings): readonly CheckResult[] {
  if ('error' in seen.gpus) return [noGpus(seen.gpus.error, seen.cards, settings.cpuSlots)];
  const gpus = seen.gpus.value;
  const [first] = gpus;
  const driver = ok('driver', `${first?.driver ?? 'unknown'}, ${count(gpus.length, 'GPU')}`);
  const unseen = seen.cards.length - gpus.length;
  const hidden =
    unseen > 0
      ? [
          warn(
            'driver',
            `${count(seen.cards.length, 'Nvidia card')} in this host (${seen.cards.join(', ')}), nvidia-smi shows ${gpus.length}`,
            'see the kernel’s log for what became of the other: journalctl -k | grep -i nvrm',
          ),
        ]
      : [];
  const entries = valueOf(seen.catalogue) ?? [];
  const judged = gpus.flatMap((gpu) => judgeGpu(gpu, entries, settings));
  return [driver, ...hidden, ...judged, ...judgeCatalogue(seen.catalogue)];
}

/** Whether Xids can be seen: without them a sick GPU is noticed later, and its jobs' failures may query like their own. */
export function checkKernelLog(answer: QueryResult<void>): CheckResult {
  if ('error' in answer) return troubled('kernel log', answer.error, 'warn');
  return ok('kernel log', 'can be read for what the driver says against a GPU (Xid)');
}

/** How many CPU jobs may run at once. */
export function checkCpuJobs(cpuSlots: number): CheckResult {
  return ok('cpu jobs', cpuSlots === 0 ? 'none offered (--cpu-slots 0)' : `${cpuSlots} at once`);
}

function noGpus(error: AgentError, cards: readonly string[], cpuSlots: number): CheckResult {
  const there =
    cards.length === 0
      ? ''
      : `; this host has ${count(cards.length, 'Nvidia card')} (${cards.join(', ')}) without a working driver`;
  const found = `${error.message}${there}`;
  if (cpuSlots > 0) return warn('driver', `${found}; only CPU jobs are offered`, error.hint);
  const hint = error.hint === undefined || error.hint === '' ? 'install the Nvidia driver' : error.hint;
  return fail('driver', found, `${hint}${hint.endsWith('?') ? ' Or' : '; or'} offer CPU jobs by --cpu-slots`);
}

/** Without a catalogue no GPU has an entry: that is said once, not of each. */
function judgeCatalogue(catalogue: QueryResult<readonly CatalogueGpu[]>): readonly CheckResult[] {
  const entries = valueOf(catalogue);
  if (entries === undefined) return [warn('gpu entries', 'not known, since the broker tells no catalogue')];
  if (entries.length > 0) return [];
  return [
    fail(
      'gpu entries',
      'no GPU can be offered, since the broker’s catalogue is empty',
      'see what the line of the broker says',
    ),
  ];
}

function judgeGpu(
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
        'see what nvidia-smi and the kernel’s log say of it; it may need a reset',
      ),
    ];
  const entry = entries.length === 0 ? [] : [judgeEntry(`${check} entry`, gpu, entries, settings)];
  return [ok(check, found), ...entry];
}

/** Which entry of the broker's catalogue a GPU is; its price is another line's matter. */
function judgeEntry(
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

/** A GPU in a line; what it does not tell is left out. */
function describeGpu(gpu: Gpu): string {
  const { memoryTotalMiB, powerDrawW, powerLimitW, temperatureC } = gpu;
  const watts = [powerDrawW, powerLimitW].filter((power) => power !== undefined).map(Math.round);
  const parts = [
    `${gpu.model} (${gpu.uuid.replace(/^(GPU-[0-9a-f]{8})-.*$/, '$1')})`,
    memoryTotalMiB === undefined ? undefined : `${memoryTotalMiB} MiB`,
    temperatureC === undefined ? undefined : `${temperatureC} °C`,
    powerDrawW === undefined ? undefined : `${watts.join(' of ')} W`,
    gpu.migMode ? `MIG: ${gpu.slices.map(({ profile }) => profile).join(', ') || 'no slices'}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
