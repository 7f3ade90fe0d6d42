import type { StatementSync } from 'node:sqlite';
import { z } from 'zod';

/** The energy that each GPU has used since the journal began; never pruned, so that it never falls. At first that of its hours. */
export const CREATE_GPU_TOTALS = `CREATE TABLE IF NOT EXISTS gpu_totals (
    gpu TEXT PRIMARY KEY,
    energy_joules REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO gpu_totals (gpu, energy_joules)
    SELECT gpu, sum(power_integral) FROM gpu_hours WHERE NOT EXISTS (SELECT 1 FROM gpu_totals) GROUP BY gpu;`;

/** Takes the GPU and joules. */
export const ADD_ENERGY = `INSERT INTO gpu_totals (gpu, energy_joules) VALUES (?, ?)
  ON CONFLICT (gpu) DO UPDATE SET energy_joules = energy_joules + excluded.energy_joules`;

const rows = z.array(z.object({ gpu: z.string(), energy_joules: z.number() }));

/** The energy of each GPU in joules, of those that the sampler has written. */
export function energyTotals(prepared: (sql: string) => StatementSync): ReadonlyMap<string, number> {
  const found = rows.parse(prepared('SELECT gpu, energy_joules FROM gpu_totals').all());
  return new Map(found.map(({ energy_joules, gpu }) => [gpu, energy_joules]));
}
