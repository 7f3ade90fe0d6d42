import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Shape } from './shapes.ts';

const part = z.number().min(0).max(1);
const positive = z.number().positive();
const spread = z.number().min(0).max(3);
const perKWh = z.number().min(0).max(100);

/** A shape as JSON: as in shapes.ts, but with one price of electricity, or one for each hour of the day. */
const shapeSchema = z.strictObject({
  name: z.string().min(1),
  demand: z.strictObject({
    runsPerHour: positive.max(1_000),
    dailySwing: part,
    peakHour: z.number().min(0).max(24),
    weekend: positive,
    bursts: z.strictObject({ everyHours: positive, hours: positive, times: z.number().min(1) }).optional(),
    bid: positive,
    bidSpread: spread,
    runsAfterMonth: positive,
    bidAfterMonth: positive,
    nightBid: positive,
    withdrawnAfterHours: positive,
  }),
  jobs: z.strictObject({
    perRun: z.number().min(1).max(1_000),
    medianMinutes: positive,
    spread,
    failing: part,
    endless: part,
  }),
  rivals: z.strictObject({
    hosts: z.int().min(0).max(1_000),
    slots: z.int().min(1).max(64),
    ask: positive,
    askSpread: spread,
    online: part,
  }),
  dollarsPerKWh: z.union([perKWh, z.array(perKWh).length(24)]),
});

/** Reads a shape from a JSON file. Throws where there is none, with the names of wrong fields. */
export function readShape(file: string): Shape {
  const parsed = shapeSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const { demand, dollarsPerKWh, ...rest } = parsed.data;
  return {
    ...rest,
    demand: { ...demand, bursts: demand.bursts },
    dollarsPerKWh: (hour) => (typeof dollarsPerKWh === 'number' ? dollarsPerKWh : (dollarsPerKWh[hour] ?? 0)),
  };
}
