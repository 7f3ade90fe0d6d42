import { z } from 'zod';

const checkedSchema = z.object({
  ready: z.boolean(),
  checks: z.array(
    z.object({
      check: z.string(),
      level: z.enum(['ok', 'warn', 'fail']),
      found: z.string(),
      hint: z.string().nullable(),
    }),
  ),
  configuration: z.array(
    z.object({
      option: z.string(),
      value: z.string(),
      source: z.object({ kind: z.string(), name: z.string() }),
    }),
  ),
});

/** What `check --json` said. */
export type Checked = z.infer<typeof checkedSchema>;

/** Reads what `check --json` wrote. */
export function readChecked(stdout: string): Checked {
  return checkedSchema.parse(JSON.parse(stdout));
}

/** A line of `check` as `level: found`, with its hint behind `->`; the first of that name. */
export function lineOf({ checks }: Checked, name: string): string {
  const line = checks.find(({ check }) => check === name);
  if (line === undefined) return `no line named ${name}`;
  return `${line.level}: ${line.found}${line.hint === null ? '' : ` -> ${line.hint}`}`;
}
