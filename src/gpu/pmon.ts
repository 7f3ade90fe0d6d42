import type { ProcessRound, SeenProcess } from '../domain/foreign-use.ts';
import { escapeControls } from '../lib/escape.ts';
import { measurementIn } from '../lib/measurement.ts';
import { LIMITS } from '../limits.ts';

/** The uuids of the GPUs by index: `pmon` knows GPUs by their index only. */
export type GpuIndexes = ReadonlyMap<number, string>;

/** Without `-s um` there is no memory. */
const COLUMNS = ['gpu', 'pid', 'type', 'sm', 'mem', 'enc', 'dec', 'command'];

/** A row: a process, or that the GPU has none. */
type Row = { readonly gpu: string; readonly process: SeenProcess | undefined };

/**
 * Reads what `nvidia-smi pmon` prints: a round of rows every second, of each GPU at least one. Nothing marks the end of a
 * round but the pause after it, so a reader that follows it calls `flush` when no more rows come.
 */
export class PmonReader {
  readonly #gpus: GpuIndexes;
  #columns: readonly string[] = COLUMNS;
  /** Whether a line of this round has begun with a number, as rows do. */
  #hasBegun = false;
  #rows: Row[] = [];

  constructor(gpus: GpuIndexes) {
    this.#gpus = gpus;
  }

  /**
   * A line break in a process's name forges rows. They end no round, name no columns, and hide no process: of its rows the
   * larger figures count, and only if it exists (`ProcessOwners`). Figures forged for another's process still count.
   */
  take(line: string): void {
    if (line.startsWith('#')) return this.#takeHeader(line);
    this.#hasBegun ||= /^\s*\d/.test(line);
    const row = this.#row(line);
    if (row === undefined) return;
    const at = this.#rows.findIndex(
      ({ gpu, process }) => gpu === row.gpu && process?.pid === row.process?.pid,
    );
    const same = this.#rows[at];
    if (same === undefined) this.#rows.push(row);
    else this.#rows[at] = larger(same, row);
  }

  /** The round so far, which is over; undefined: there was none. */
  flush(): ProcessRound | undefined {
    return this.#end(this.#rows.map(({ gpu }) => gpu));
  }

  /** The round so far, which broke off: the last GPU's processes may not all be in it. */
  breakOff(): ProcessRound | undefined {
    const last = this.#rows.at(-1)?.gpu;
    return this.#end(this.#rows.map(({ gpu }) => gpu).filter((gpu) => gpu !== last));
  }

  #end(gpus: readonly string[]): ProcessRound | undefined {
    this.#hasBegun = false;
    if (this.#rows.length === 0) return undefined;
    const processes = this.#rows.flatMap(({ process }) => process ?? []);
    this.#rows = [];
    return { processes, gpus: new Set(gpus) };
  }

  #takeHeader(line: string): void {
    const names = line.slice(1).trim().toLowerCase().split(/\s+/);
    if (names[0] === 'gpu' && !this.#hasBegun) this.#columns = names;
  }

  /** Undefined for any other line, such as an error, and for a GPU that is not known. */
  #row(line: string): Row | undefined {
    const cells = line.trim().split(/\s+/);
    const cell = (name: string): string => cells[this.#columns.indexOf(name)] ?? '';
    const index = measurementIn(cell('gpu'));
    const gpu = index === undefined ? undefined : this.#gpus.get(index);
    const pid = measurementIn(cell('pid'));
    if (index === undefined || gpu === undefined || cells.length < this.#columns.length - 1) return undefined;
    if (pid === undefined) return cell('pid') === '-' ? { gpu, process: undefined } : undefined;
    const name = cells.slice(this.#columns.length - 1).join(' ');
    const process: SeenProcess = {
      pid,
      gpu,
      type: cell('type').slice(0, LIMITS.host.smiName.max),
      name: escapeControls(name.slice(0, LIMITS.host.smiName.max)) || 'unnamed',
      usedMiB: measurementIn(cell('fb')),
      smPercent: measurementIn(cell('sm')),
    };
    return { gpu, process };
  }
}

/** The first of two rows of a process, with the larger figures of both. */
function larger(one: Row, { process: other }: Row): Row {
  if (one.process === undefined) return one;
  const max = (name: 'smPercent' | 'usedMiB'): number | undefined => {
    const [a, b] = [one.process?.[name], other?.[name]];
    return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
  };
  return { ...one, process: { ...one.process, smPercent: max('smPercent'), usedMiB: max('usedMiB') } };
}
