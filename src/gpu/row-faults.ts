import type { GpuWarning } from '../domain/gpu.ts';
import { JETSON_FAULT } from '../domain/platform.ts';
import { escapeControls } from '../lib/escape.ts';
import type { Field } from './fields.ts';

/** The cells of a row by field. */
export type Cells = ReadonlyMap<Field, string>;

/** Why a GPU must not get jobs; without a hint the general one applies. */
export type RowFault = { readonly why: string; readonly hint?: string };

type Identity = { readonly uuid: string; readonly index: number; readonly model: string };

/** Cells that report a sick GPU, in any column. */
const SICK = /^\[?(?:GPU requires reset|GPU is lost)\]?$/i;
const ERROR = /^\[?Unknown Error\]?$/i;

/** Power sensors fail on many laptops while the GPU works. */
const MAY_FAIL: ReadonlySet<Field> = new Set(['power.draw', 'power.limit']);
/** One of these alone may fail, too: a sick GPU fails in all. */
const SENSORS: ReadonlySet<Field> = new Set(['utilization.gpu', 'temperature.gpu']);

/** Names of integrated GPUs, whose uuid has no `GPU-` either. */
const INTEGRATED = /\b(?:nvgpu|tegra|orin|xavier|thor|jetson)\b/i;

/** Why the GPU of a row must not get jobs; undefined: nothing in the row says so. */
export function faultOf(row: Cells, gpu: Identity): RowFault | undefined {
  const sick = [...row.values()].find((cell) => SICK.test(cell));
  if (sick !== undefined) return { why: `nvidia-smi reports “${sick.replace(/^\[|\]$/g, '')}”` };
  if (!/^GPU-[\w-]{1,80}$/.test(gpu.uuid)) {
    if (INTEGRATED.test(gpu.model)) return JETSON_FAULT;
    return { why: 'its uuid is unreadable' };
  }
  const failed = failedField(row);
  if (failed !== undefined) return { why: `nvidia-smi reports an unknown error for its ${failed}` };
  const recovery = row.get('gpu_recovery_action') ?? '';
  if (isWord(recovery) && recovery !== 'None') return recoveryFault(recovery, gpu.index);
  if (row.get('remapped_rows.failure') === 'Yes')
    return { why: 'its memory has errors that can no longer be remapped', hint: 'replace the card' };
  if (row.get('compute_mode') === 'Prohibited')
    return {
      why: 'its compute mode is Prohibited, so that nothing can compute on it',
      hint: `allow it with sudo nvidia-smi -c 0 -i ${gpu.index}`,
    };
  return undefined;
}

/** What is odd about a GPU that works. */
export function warningsOf(row: Cells, index: number): readonly GpuWarning[] {
  const warnings: GpuWarning[] = [];
  const warn = (why: string, hint: string): void => void warnings.push({ why, hint });
  for (const field of SENSORS)
    if (ERROR.test(row.get(field) ?? ''))
      warn(`nvidia-smi cannot read its ${field}`, 'nothing, as long as jobs succeed; else reboot');
  if (row.get('retired_pages.pending') === 'Yes' || row.get('remapped_rows.pending') === 'Yes')
    warn(
      'a memory repair is pending',
      `reset it (sudo nvidia-smi --gpu-reset -i ${index}) or reboot while no job runs`,
    );
  for (const [field, name] of [
    ['mig.mode', 'MIG mode'],
    ['ecc.mode', 'ECC mode'],
  ] as const) {
    const [current, pending] = [row.get(`${field}.current`), row.get(`${field}.pending`)];
    if (isSwitch(current) && isSwitch(pending) && current !== pending)
      warn(`its ${name} is ${current} and will be ${pending} after a reset`, 'reboot while no job runs');
  }
  return warnings;
}

/** The first field whose error means that the GPU is sick. */
function failedField(row: Cells): Field | undefined {
  const failed = [...row].filter(([field, cell]) => ERROR.test(cell) && !MAY_FAIL.has(field));
  const [first] = failed;
  if (first === undefined || (failed.length === 1 && SENSORS.has(first[0]))) return undefined;
  return first[0];
}

const RECOVERY_HINTS: readonly (readonly [RegExp, (index: number) => string])[] = [
  [/reboot/i, () => 'reboot this host'],
  [/bus/i, () => 'reboot this host; if that does not help, switch it off and on'],
  [/reset/i, (index) => `reset it while nothing uses it: sudo nvidia-smi --gpu-reset -i ${index}; or reboot`],
  [/drain/i, () => 'end all programs that use several GPUs at once; if it stays, reboot'],
];

function recoveryFault(action: string, index: number): RowFault {
  const hint = RECOVERY_HINTS.find(([pattern]) => pattern.test(action))?.[1](index);
  const why = `its driver requests a recovery: ${escapeControls(action.slice(0, 60))}`;
  return { why, ...(hint !== undefined && { hint }) };
}

function isWord(cell: string): boolean {
  return cell !== '' && cell !== 'N/A' && !cell.startsWith('[');
}

function isSwitch(cell: string | undefined): boolean {
  return cell === 'Enabled' || cell === 'Disabled';
}
