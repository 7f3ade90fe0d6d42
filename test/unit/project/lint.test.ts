import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Violations of the house's rules, planted in a copy of the tree; the linter must name each one's rule. */
const PLANTED: readonly [what: string, file: string, code: string, rule: string][] = [
  [
    'domain imports a package',
    'src/domain/a.ts',
    `import { z } from 'zod';\nexport const a = z;\n`,
    'no-restricted-imports',
  ],
  [
    'domain imports Node.js',
    'src/domain/b.ts',
    `import fs from 'node:fs';\nexport const b = fs;\n`,
    'no-restricted-imports',
  ],
  [
    'domain imports lib',
    'src/domain/c.ts',
    `import { sleep } from '../lib/sleep.ts';\nexport const c = sleep;\n`,
    'no-restricted-imports',
  ],
  [
    'lib imports domain',
    'src/lib/a.ts',
    `import { run } from '../domain/run.ts';\nexport const a = run;\n`,
    'no-restricted-imports',
  ],
  [
    'an adapter imports another',
    'src/broker/a.ts',
    `import { j } from '../journal/j.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'an adapter imports the agent',
    'src/gpu/a.ts',
    `import { j } from '../agent/agent.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'one runtime imports the other',
    'src/runtime/docker/a.ts',
    `import { j } from '../process/p.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'the agent imports an adapter',
    'src/agent/a.ts',
    `import { j } from '../broker/client.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'the agent imports app',
    'src/agent/b.ts',
    `import { j } from '../app.ts';\nexport const b = j;\n`,
    'no-restricted-imports',
  ],
  [
    'app imports a command',
    'src/compose.ts',
    `import { j } from './cli/start.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'a command imports main',
    'src/cli/a.ts',
    `import { j } from '../main.ts';\nexport const a = j;\n`,
    'no-restricted-imports',
  ],
  [
    'dockerode outside runtime/docker',
    'src/agent/c.ts',
    `import D from 'dockerode';\nexport const c = D;\n`,
    'no-restricted-imports',
  ],
  [
    'undici outside broker',
    'src/gpu/b.ts',
    `import { request } from 'undici';\nexport const b = request;\n`,
    'no-restricted-imports',
  ],
  ['a cycle', 'src/agent/d.ts', `import { e } from './e.ts';\nexport const d = () => e;\n`, 'no-cycle'],
  ['any', 'src/agent/f.ts', `export const f = (x: any): unknown => x;\n`, 'no-explicit-any'],
  ['a long file', 'src/agent/g.ts', `export const g = [\n${'  1,\n'.repeat(300)}];\n`, 'max-lines'],
  [
    'an empty catch',
    'src/agent/h.ts',
    `export function h(f: () => void): void {\n  try {\n    f();\n  } catch {}\n}\n`,
    'no-empty',
  ],
  ['process.exit', 'src/cli/b.ts', `export const b = (): never => process.exit(1);\n`, 'no-process-exit'],
  ['process.env', 'src/cli/c.ts', `export const c = process.env;\n`, 'no-process-env'],
  ['a default export', 'src/agent/i.ts', `const i = 1;\nexport default i;\n`, 'no-default-export'],
  ['console', 'src/agent/j.ts', `console.log(1);\n`, 'no-console'],
  [
    'a promise that nobody waits for',
    'src/agent/k.ts',
    `export function k(p: () => Promise<void>): void {\n  p();\n}\n`,
    'no-floating-promises',
  ],
];

const Report = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

let house: string;
let found: ReadonlySet<string>;

beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'house-'));
  await cp(join(ROOT, '.oxlintrc.json'), join(house, '.oxlintrc.json'));
  await cp(join(ROOT, 'tsconfig.json'), join(house, 'tsconfig.json'));
  await symlink(join(ROOT, 'node_modules'), join(house, 'node_modules'));
  const files: readonly (readonly [string, string])[] = [
    ...PLANTED.map(([, file, code]) => [file, code] as const),
    ['src/agent/e.ts', `import { d } from './d.ts';\nexport const e = () => d;\n`],
  ];
  for (const [file, code] of files) {
    await mkdir(dirname(join(house, file)), { recursive: true });
    await writeFile(join(house, file), code);
  }
  const output = await lint(house);
  found = new Set(
    output.diagnostics.map(({ code, filename }) => `${filename}: ${code.replace(/^.*\((.*)\)$/, '$1')}`),
  );
}, 60_000);

afterAll(() => rm(house, { recursive: true, force: true }));

describe('the linter keeps the house in order', () => {
  test.each(PLANTED)('%s', (_, file, __, rule) => {
    expect([...found].filter((line) => line.startsWith(file))).toContain(`${file}: ${rule}`);
  });
});

function lint(directory: string): Promise<z.infer<typeof Report>> {
  const program = join(ROOT, 'node_modules/.bin/oxlint');
  return new Promise((done, failed) => {
    execFile(program, ['--format', 'json', 'src'], { cwd: directory, maxBuffer: 1e7 }, (error, stdout) => {
      try {
        done(Report.parse(JSON.parse(stdout)));
      } catch (cause) {
        failed(new Error(`the linter gave no report: ${stdout}`, { cause: error ?? cause }));
      }
    });
  });
}
