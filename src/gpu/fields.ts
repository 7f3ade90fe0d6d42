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
  'memory.reserved',
  'persistence_mode',
  'display_active',
  'compute_mode',
  'mig.mode.current',
  'mig.mode.pending',
  'ecc.mode.current',
  'ecc.mode.pending',
  'retired_pages.pending',
  'remapped_rows.pending',
  'remapped_rows.failure',
  'gpu_recovery_action',
] as const;

/** The figures that every driver has. */
const OLD_FIGURES = 6;

/** What lists the processes that compute, for `parseProcesses`. */
export const COMPUTE_QUERY: readonly string[] = [
  '--query-compute-apps=pid,gpu_uuid,used_memory',
  '--format=csv,noheader,nounits',
];

/** A field of `--query-gpu` that the agent uses. */
export type Field = (typeof IDENTITY)[number] | (typeof FIGURES)[number];

/** The fields to query, from what `--help-query-gpu` prints. One unknown field would fail the whole query. */
export function fieldsOf(help: string): readonly Field[] {
  const known = knownFields(help);
  const figures =
    known.size === 0 ? FIGURES.slice(0, OLD_FIGURES) : FIGURES.filter((field) => known.has(field));
  return [...IDENTITY, ...figures];
}

/** All fields that `--help-query-gpu` lists, under each of their names. */
export function knownFields(help: string): ReadonlySet<string> {
  return new Set(help.split('\n').flatMap((line) => namesIn(line)));
}

/** A line such as `"name" or "gpu_name"`. */
function namesIn(line: string): readonly string[] {
  return /^"[\w.]+"(?: or "[\w.]+")*/.test(line) ? (line.match(/(?<=")[\w.]+(?=")/g) ?? []) : [];
}
