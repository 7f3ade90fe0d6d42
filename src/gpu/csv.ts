import { AgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';

/** Without these there is no telling which GPU a row is about. */
const IDENTITY = ['index', 'uuid', 'name', 'pci.bus_id', 'driver_version'] as const;

/** What else is asked for, where the driver has it. */
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

/** A field of `--query-gpu` that the agent asks for. */
export type Field = (typeof IDENTITY)[number] | (typeof FIGURES)[number];

/** A look at a GPU by itself; its slices come from elsewhere. */
export type BareGpu = Omit<Gpu, 'slices'>;

/** Cells that say that a GPU is not well, in whatever column they stand. */
const SICK = /^\[?(?:GPU requires reset|GPU is lost)\]?$/i;

/** A sensor of the power supply may be broken, and in laptops often is, while the GPU works. */
const MAY_FAIL: ReadonlySet<Field> = new Set(['power.draw', 'power.limit']);

/** The fields that can be asked for, out of what `--help-query-gpu` prints. */
export function fieldsOf(help: string): readonly Field[] {
  const known = new Set(help.split('\n').flatMap((line) => namesIn(line)));
  const figures = known.size === 0 ? FIGURES.slice(0, 6) : FIGURES.filter((field) => known.has(field));
  // One field that the driver does not know fails the whole query; the identity has been there for ever.
  return [...IDENTITY, ...figures];
}

/** `"name" or "gpu_name"` at the beginning of a line. */
function namesIn(line: string): readonly string[] {
  return /^"[\w.]+"(?: or "[\w.]+")*/.test(line) ? (line.match(/(?<=")[\w.]+(?=")/g) ?? []) : [];
}

/**
 * Reads the answer to `--query-gpu=<fields> --format=csv,noheader,nounits`. Throws GPU_PROBE_FAILED where a row has
 * another number of columns (nothing in it is quoted) or a uuid comes twice. With `skipOthers`, lines that are no
 * rows are left out: nvidia-smi had something to complain of.
 */
export function parseGpus(csv: string, fields: readonly Field[], skipOthers: boolean): readonly BareGpu[] {
  const rows = csv
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => !skipOthers || cells.length === fields.length);
  const gpus = rows.map((cells, row) => {
    if (cells.length === fields.length)
      return readRow(new Map(fields.map((field, at) => [field, cells[at] ?? ''])), row);
    throw unusable(`row ${row + 1} has ${cells.length} columns where ${fields.length} were asked for`);
  });
  const twice = gpus.find(({ uuid }, at) => gpus.findIndex((gpu) => gpu.uuid === uuid) !== at);
  if (twice !== undefined) throw unusable(`two GPUs have the uuid ${twice.uuid}`);
  return gpus;
}

type Row = ReadonlyMap<Field, string>;

function readRow(row: Row, at: number): BareGpu {
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
    fault: hasUuid ? faultOf(row) : 'its uuid cannot be read',
  };
}

function faultOf(row: Row): string | undefined {
  for (const [field, cell] of row) {
    if (SICK.test(cell)) return `it says “${bare(cell)}”`;
    if (/^\[?Unknown Error\]?$/i.test(cell) && !MAY_FAIL.has(field))
      return `its ${field} cannot be read: unknown error`;
  }
  const wanted = text(row, 'gpu_recovery_action');
  if (wanted !== undefined && wanted !== 'None') return `the driver asks for its recovery: ${wanted}`;
  return row.get('compute_mode') === 'Prohibited'
    ? 'its compute mode is Prohibited, so that no job can use it'
    : undefined;
}

/** A number, also with its unit; undefined for everything that a cell may say instead. */
function figure(row: Row, field: Field): number | undefined {
  const found = /^(-?\d+(?:\.\d+)?)(?: ?(?:MiB|%|W|C))?$/.exec(row.get(field) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A word; undefined for `[N/A]` and all else in brackets. */
function text(row: Row, field: Field): string | undefined {
  const cell = row.get(field) ?? '';
  return cell === '' || cell === 'N/A' || cell.startsWith('[') ? undefined : cell;
}

function bare(cell: string): string {
  return cell.replace(/^\[|\]$/g, '');
}

function unusable(why: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', `nvidia-smi’s answer cannot be used: ${why}`, {
    hint: 'is --nvidia-smi Nvidia’s own? Its output differs from what every driver prints',
  });
}
