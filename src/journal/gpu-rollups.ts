import { z } from 'zod';
import {
  energyJ,
  type FigureRollup,
  type GpuRollup,
  ROLLUP_FIGURES,
  type RollupFigure,
  spanStart,
} from '../domain/gpu-rollup.ts';
import type { GpuRollups } from '../domain/ports/gpu-rollups.ts';
import type { Access } from './access.ts';
import { ADD_ENERGY, energyTotals } from './gpu-totals.ts';
import {
  batches,
  gpuRows,
  gpusIn,
  type Interval,
  pointRows,
  pointsIn,
  type RollupPoint,
  stepFor,
} from './rollup-points.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long minutes and hours are kept. */
export const KEEP_MINUTES_MS = 2 * DAY_MS;
export const KEEP_HOURS_MS = 2 * 365 * DAY_MS;

/** The points of each GPU by its uuid, oldest first; each stands for `stepMs` milliseconds. */
export type RollupPoints = {
  readonly stepMs: number;
  readonly gpus: ReadonlyMap<string, readonly RollupPoint[]>;
};

const SPANS_MS = { minute: 60_000, hour: HOUR_MS } as const;
const TABLES = { minute: 'gpu_minutes', hour: 'gpu_hours' } as const;

/** The tables. An integral is in the figure's unit times seconds: of the power, it is joules. */
export const CREATE_GPU_ROLLUPS = Object.values(TABLES)
  .map(
    (table) => `CREATE TABLE IF NOT EXISTS ${table} (
     seq INTEGER PRIMARY KEY,
     gpu TEXT NOT NULL,
     start INTEGER NOT NULL,
     covered_ms REAL NOT NULL,
     utilization_known_ms REAL NOT NULL,
     utilization_integral REAL NOT NULL,
     utilization_max REAL,
     memory_known_ms REAL NOT NULL,
     memory_integral REAL NOT NULL,
     memory_max REAL,
     temperature_known_ms REAL NOT NULL,
     temperature_integral REAL NOT NULL,
     temperature_max REAL,
     power_known_ms REAL NOT NULL,
     power_integral REAL NOT NULL,
     power_max REAL,
     UNIQUE (gpu, start)
   ) STRICT;`,
  )
  .join('\n');

/** The columns of each figure begin with this. */
const PREFIXES: Readonly<Record<RollupFigure, string>> = {
  utilizationPercent: 'utilization',
  memoryUsedMiB: 'memory',
  temperatureC: 'temperature',
  powerW: 'power',
};

const COLUMNS = ROLLUP_FIGURES.map((key) => PREFIXES[key]);

/** The use of GPUs in the journal. */
export class GpuRollupTables implements GpuRollups {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  add(minutes: readonly GpuRollup[]): void {
    const { prepared, write } = this.#access;
    write(() => {
      for (const rollup of minutes) {
        prepared(addTo(TABLES.minute)).run(...valuesOf(rollup, rollup.start));
        prepared(addTo(TABLES.hour)).run(...valuesOf(rollup, spanStart(rollup.start, HOUR_MS)));
        const joules = energyJ(rollup);
        if (joules !== undefined) prepared(ADD_ENERGY).run(rollup.gpu, Math.max(joules, 0));
      }
    });
  }

  /** The joules that each GPU has used since the journal began, up to the last write. */
  energy(): ReadonlyMap<string, number> {
    const { prepared, read } = this.#access;
    return read(() => energyTotals(prepared));
  }

  /**
   * The means of each GPU's figures in an interval, neighbours joined so that there are at most `MAX_POINTS`; where nothing
   * is known there is no point. A `yield` follows each small read.
   */
  *points(span: keyof typeof TABLES, interval: Interval): Generator<'long', RollupPoints> {
    const { prepared, read } = this.#access;
    const [table, spanMs] = [TABLES[span], SPANS_MS[span]];
    const stepMs = stepFor(interval, spanMs);
    const gpus = new Map<string, RollupPoint[]>();
    for (const { gpu } of gpuRows.parse(read(() => prepared(gpusIn(table)).all()))) {
      const points: RollupPoint[] = [];
      for (const { fromMs, toMs } of batches(interval, stepMs, spanMs)) {
        points.push(...pointRows.parse(read(() => prepared(pointsIn(table)).all(stepMs, gpu, fromMs, toMs))));
        yield 'long';
      }
      if (points.length > 0) gpus.set(gpu, points);
    }
    return { stepMs, gpus };
  }

  /** The minutes or hours that begin from `fromMs` on and before `toMs`, oldest first. */
  between(span: keyof typeof TABLES, fromMs: number, toMs: number): readonly GpuRollup[] {
    const { prepared, read } = this.#access;
    const table = TABLES[span];
    // A journal that only an older agent has written has none.
    const exists = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '${table}'`;
    const select = `SELECT * FROM ${table} WHERE start >= ? AND start < ? ORDER BY start, gpu`;
    const rows = read(() => (prepared(exists).get() === undefined ? [] : prepared(select).all(fromMs, toMs)));
    return rows.map(rollupOf);
  }
}

function addTo(table: string): string {
  const names = COLUMNS.flatMap((name) => [`${name}_known_ms`, `${name}_integral`, `${name}_max`]);
  const sums = ['covered_ms', ...names.filter((name) => !name.endsWith('_max'))];
  const maxima = names.filter((name) => name.endsWith('_max'));
  const columns = ['gpu', 'start', 'covered_ms', ...names];
  return `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})
    ON CONFLICT (gpu, start) DO UPDATE SET ${[
      ...sums.map((name) => `${name} = ${name} + excluded.${name}`),
      ...maxima.map(
        (name) => `${name} = max(coalesce(${name}, excluded.${name}), coalesce(excluded.${name}, ${name}))`,
      ),
    ].join()}`;
}

function valuesOf({ coveredMs, figures, gpu }: GpuRollup, start: number): (string | number | null)[] {
  const values = ROLLUP_FIGURES.flatMap((key) => {
    const figure = figures[key];
    return [figure?.knownMs ?? 0, figure?.integral ?? 0, figure?.max ?? null];
  });
  return [gpu, start, coveredMs, ...values];
}

const ROW = z.object({ gpu: z.string(), start: z.number(), covered_ms: z.number() }).catchall(z.unknown());
const FIGURE = z.tuple([z.number().positive(), z.number(), z.number()]);

function rollupOf(row: unknown): GpuRollup {
  const { covered_ms, gpu, start, ...more } = ROW.parse(row);
  const figures: Partial<Record<RollupFigure, FigureRollup>> = {};
  for (const key of ROLLUP_FIGURES) {
    const name = PREFIXES[key];
    const found = FIGURE.safeParse([more[`${name}_known_ms`], more[`${name}_integral`], more[`${name}_max`]]);
    if (found.data !== undefined) {
      const [knownMs, integral, max] = found.data;
      figures[key] = { knownMs, integral, max };
    }
  }
  return { gpu, start, coveredMs: covered_ms, figures };
}
