import { AgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';

/** The fields that identify a GPU. Every driver has them. */
const IDENTITY = ['index', 'uuid', 'name', 'pci.bus_id', 'driver_version'] as const;

/** The other fields, queried as far as the driver knows them. */
const FIGURES = [
  'memory.total',
  'memory.used',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'compute_mode',
  'mig.mode.current',
  'gpu_recovery_action',
] as const;

/** A field of `--query-gpu` that the agent uses. */
export type Field = (typeof IDENTITY)[number] | (typeof FIGURES)[number];

/** A GPU without its MIG slices, which `-L` lists. */
export type GpuRow = Omit<Gpu, 'slices'>;

/** Cells that report a sick GPU, in any column. */
const SICK = /^\[?(?:GPU requires reset|GPU is lost)\]?$/i;

/** Power sensors fail on many laptops while the GPU works. */
const MAY_FAIL: ReadonlySet<Field> = new Set(['power.draw', 'power.limit']);

/** The fields to query, from what `--help-query-gpu` prints. One unknown field would fail the whole query. */
export function fieldsOf(help: string): readonly Field[] {
  const known = new Set(help.split('\n').flatMap((line) => namesIn(line)));
  const figures = known.size === 0 ? FIGURES.slice(0, 6) : FIGURES.filter((field) => known.has(field));
  return [...IDENTITY, ...figures];
}

/** A line such as `"name" or "gpu_name"`. */
function namesIn(line: string): readonly string[] {
  return /^"[\w.]+"(?: or "[\w.]+")*/.test(line) ? (line.match(/(?<=")[\w.]+(?=")/g) ?? []) : [];
}

/**
 * Reads the output of `--query-gpu=<fields> --format=csv,noheader,nounits`, which quotes nothing. Throws GPU_PROBE_FAILED
 * for a row with a wrong number of columns or a duplicate uuid. `skipOthers` ignores other lines: nvidia-smi's warnings.
 */
export function parseGpus(csv: string, fields: readonly Field[], skipOthers: boolean): readonly GpuRow[] {
  const rows = csv
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => !skipOthers || cells.length === fields.length);
  const gpus = rows.map((cells, row) => {
    if (cells.length === fields.length)
      return readRow(new Map(fields.map((field, at) => [field, cells[at] ?? ''])), row);
    throw malformed(`row ${row + 1} has ${cells.length} columns instead of ${fields.length}`);
  });
  const duplicate = gpus.find(({ uuid }, at) => gpus.findIndex((gpu) => gpu.uuid === uuid) !== at);
  if (duplicate !== undefined) throw malformed(`two GPUs have the uuid ${duplicate.uuid}`);
  return gpus;
}

/**
 * Reads the output of `--query-compute-apps=pid,gpu_uuid,used_memory --format=csv,noheader,nounits`. Ignores lines that
 * are not rows. Memory is undefined for `[N/A]`.
 */
export function parseProcesses(csv: string): readonly GpuProcess[] {
  return csv.split(/\r?\n/).flatMap((line) => {
    const [, pid, gpu, used = ''] = /^\s*(\d+), *(GPU-[\w-]+), *([^,]*?)\s*$/.exec(line) ?? [];
    if (pid === undefined || gpu === undefined) return [];
    const usedMiB = /^(\d+)(?: MiB)?$/.exec(used)?.[1];
    return [{ pid: Number(pid), gpu, usedMiB: usedMiB === undefined ? undefined : Number(usedMiB) }];
  });
}

type Row = ReadonlyMap<Field, string>;

function readRow(row: Row, at: number): GpuRow {
  const busId = row.get('pci.bus_id') ?? '';
  const uuid = row.get('uuid') ?? '';
  const hasUuid = /^GPU-[\w-]+$/.test(uuid);
  return {
    uuid: hasUuid ? uuid : `unknown (${busId})`,
    index: figure(row, 'index') ?? at,
    model: text(row, 'name') ?? 'unknown',
    busId,
    driver: text(row, 'driver_version') ?? 'unknown',
    memoryTotalMiB: figure(row, 'memory.total'),
    memoryUsedMiB: figure(row, 'memory.used'),
    utilizationPercent: figure(row, 'utilization.gpu'),
    temperatureC: figure(row, 'temperature.gpu'),
    powerDrawW: figure(row, 'power.draw'),
    powerLimitW: figure(row, 'power.limit'),
    migMode: row.get('mig.mode.current') === 'Enabled',
    fault: hasUuid ? faultOf(row) : 'its uuid is unreadable',
  };
}

function faultOf(row: Row): string | undefined {
  for (const [field, cell] of row) {
    if (SICK.test(cell)) return `nvidia-smi reports “${withoutBrackets(cell)}”`;
    if (/^\[?Unknown Error\]?$/i.test(cell) && !MAY_FAIL.has(field))
      return `nvidia-smi reports an unknown error for its ${field}`;
  }
  const recovery = text(row, 'gpu_recovery_action');
  if (recovery !== undefined && recovery !== 'None') return `its driver requests a recovery: ${recovery}`;
  return row.get('compute_mode') === 'Prohibited' ? 'its compute mode is Prohibited' : undefined;
}

/** A number, with or without its unit; undefined for any other text. */
function figure(row: Row, field: Field): number | undefined {
  const found = /^(-?\d+(?:\.\d+)?)(?: ?(?:MiB|%|W|C))?$/.exec(row.get(field) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A text; undefined for `[N/A]` and everything else in brackets. */
function text(row: Row, field: Field): string | undefined {
  const cell = row.get(field) ?? '';
  return cell === '' || cell === 'N/A' || cell.startsWith('[') ? undefined : cell;
}

function withoutBrackets(cell: string): string {
  return cell.replace(/^\[|\]$/g, '');
}

function malformed(why: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', `the output of nvidia-smi is malformed: ${why}`, {
    hint: 'set --nvidia-smi to Nvidia’s own program',
  });
}
