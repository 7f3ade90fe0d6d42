import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Machine, MachineGpu } from './machine.ts';
import { TWO_T4 } from './machines.ts';

const FILE = new URL('../../../../shared/nvidia-smi/cases.json', import.meta.url);

const cell = z.union([z.string(), z.number()]).transform(String);
const caseSchema = z.object({
  gpus: z.array(z.record(z.string(), cell)).optional(),
  fail: z.tuple([z.int(), z.string()]).optional(),
  err: z.string().optional(),
  before: z.string().optional(),
  after: z.string().optional(),
  code: z.int().optional(),
  L: z.string().optional(),
  fields: z.array(z.string()).optional(),
});

/** The odd hosts beside the checkout, by name; none where the file is absent. */
export function sharedCases(): readonly (readonly [name: string, machine: Machine])[] {
  if (!existsSync(FILE)) return [];
  const cases = z.record(z.string(), caseSchema).parse(JSON.parse(readFileSync(FILE, 'utf8')));
  return Object.entries(cases).map(([name, one]) => [name, machineOf(one)]);
}

function machineOf({
  L = '',
  after = '',
  before = '',
  code = 0,
  err = '',
  fail,
  fields,
  gpus = [],
}: z.infer<typeof caseSchema>): Machine {
  const slices = [...L.matchAll(/MIG (\S+)\s+Device\s+\d+: \(UUID: ([^)]+)\)/g)].map(
    ([, profile = '', uuid = '']) => [profile, uuid] as const,
  );
  const rows = gpus.map((cells): MachineGpu => ({ cells, slices }));
  return {
    ...TWO_T4,
    gpus: rows,
    fields: fields?.flatMap((field) => field.split('" or "')) ?? TWO_T4.fields,
    around: { before, after, exit: code, stderr: err },
    ...(fail !== undefined && {
      fault: { kind: 'say' as const, exit: fail[0], stdout: fail[1], stderr: err },
    }),
  };
}
