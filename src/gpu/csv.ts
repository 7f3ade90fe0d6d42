import type { Gpu } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';
import { escapeControls } from '../lib/escape.ts';
import { LIMITS } from '../limits.ts';
import type { Field } from './fields.ts';
import { type Cells, faultOf, type RowFault, warningsOf } from './row-faults.ts';

/** A GPU without its MIG slices, which `-L` lists. */
export type GpuRow = Omit<Gpu, 'slices'>;

/** The rows of the table, and all other lines. */
export type Table = { readonly rows: readonly GpuRow[]; readonly others: readonly string[] };

/**
 * Reads the output of `--query-gpu=<fields> --format=csv,noheader,nounits`, which quotes nothing: a line with another
 * number of columns, or with a text for its index, is no row. GPUs that share a uuid are faulty. Never throws.
 */
export function parseGpus(csv: string, fields: readonly Field[]): Table {
  const rows: GpuRow[] = [];
  const others: string[] = [];
  for (const line of csv.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const cells = line.split(',').map((cell) => cell.trim());
    const isRow = cells.length === fields.length && /^(?:\d+|\[.*\]|N\/A|)$/.test(cells[0] ?? '');
    if (isRow) rows.push(readRow(new Map(fields.map((field, at) => [field, cells[at] ?? ''])), rows.length));
    else others.push(line);
  }
  return { rows: withoutTwins(rows), others };
}

/**
 * Reads the output of `--query-compute-apps=pid,gpu_uuid,used_memory --format=csv,noheader,nounits`. Ignores lines that
 * are not rows. Memory is undefined for `[N/A]`.
 */
export function parseProcesses(csv: string): readonly GpuProcess[] {
  return csv.split(/\r?\n/).flatMap((line) => {
    const [, pid, gpu, used = ''] = /^\s*(\d{1,10}), *(GPU-[\w-]+), *([^,]*?)\s*$/.exec(line) ?? [];
    if (pid === undefined || gpu === undefined) return [];
    const usedMiB = /^(\d{1,15})(?: MiB)?$/.exec(used)?.[1];
    return [{ pid: Number(pid), gpu, usedMiB: usedMiB === undefined ? undefined : Number(usedMiB) }];
  });
}

/** A row that is printed twice counts once; two GPUs with one uuid look the same to a container engine. */
function withoutTwins(rows: readonly GpuRow[]): readonly GpuRow[] {
  const once = rows.filter(
    ({ busId, uuid }, at) => rows.findIndex((row) => row.uuid === uuid && row.busId === busId) === at,
  );
  return once.map((row) => {
    const twin = once.find((other) => other !== row && other.uuid === row.uuid);
    if (twin === undefined) return row;
    return {
      ...row,
      uuid: `unknown (${row.busId})`,
      fault: row.fault ?? `GPU ${twin.index} has the same uuid, ${row.uuid}`,
      faultHint: 'ask the card’s maker for a firmware with a uuid of its own, or take one of them out',
    };
  });
}

function readRow(row: Cells, at: number): GpuRow {
  const busId = escapeControls((row.get('pci.bus_id') ?? '').slice(0, LIMITS.host.smiName.max));
  const index = figure(row, 'index') ?? at;
  const model = text(row, 'name') ?? 'unknown';
  const uuid = row.get('uuid') ?? '';
  const found: RowFault | undefined = faultOf(row, { uuid, index, model });
  const warnings = warningsOf(row, index);
  return {
    uuid: /^GPU-[\w-]{1,80}$/.test(uuid) ? uuid : `unknown (${busId})`,
    index,
    model,
    busId,
    driver: text(row, 'driver_version') ?? 'unknown',
    memoryTotalMiB: figure(row, 'memory.total'),
    memoryUsedMiB: figure(row, 'memory.used'),
    memoryReservedMiB: figure(row, 'memory.reserved'),
    utilizationPercent: figure(row, 'utilization.gpu'),
    temperatureC: temperature(row),
    powerDrawW: figure(row, 'power.draw'),
    powerLimitW: figure(row, 'power.limit'),
    migMode: row.get('mig.mode.current') === 'Enabled',
    fault: found?.why,
    faultHint: found?.hint,
    ...(warnings.length > 0 && { warnings }),
    ...(/^Exclusive_/i.test(row.get('compute_mode') ?? '') && { exclusive: true }),
    persistence: isEnabled(row, 'persistence_mode'),
    displayActive: isEnabled(row, 'display_active'),
  };
}

/** Undefined for any other text. */
function isEnabled(row: Cells, field: Field): boolean | undefined {
  return { Enabled: true, Disabled: false }[row.get(field) ?? ''];
}

/** A measurement, with or without its unit; undefined for any other text. */
export function figureIn(cell: string): number | undefined {
  const found = /^(\d{1,15}(?:\.\d{1,15})?)(?: ?(?:MiB|MHz|%|W|C))?$/.exec(cell)?.[1];
  return found === undefined ? undefined : Number(found);
}

function figure(row: Cells, field: Field): number | undefined {
  return figureIn(row.get(field) ?? '');
}

/** In degrees Celsius, which may be below zero. */
function temperature(row: Cells): number | undefined {
  const found = /^(-?\d{1,4})(?: ?C)?$/.exec(row.get('temperature.gpu') ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A text, escaped and bounded; undefined for `[N/A]` and everything else in brackets. */
function text(row: Cells, field: Field): string | undefined {
  const cell = row.get(field) ?? '';
  if (cell === '' || cell === 'N/A' || cell.startsWith('[')) return undefined;
  return escapeControls(cell.slice(0, LIMITS.host.smiName.max));
}
