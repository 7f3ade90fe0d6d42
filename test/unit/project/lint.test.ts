import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FLOORS } from '../../../scripts/lint/floors.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Imports that point up, sideways or past a port, by file and what it imports. */
const FORBIDDEN_IMPORTS: readonly (readonly [file: string, specifier: string])[] = [
  // Pure folders.
  ['domain/a.ts', 'zod'],
  ['domain/ports/a.ts', 'node:fs'],
  ['python-literal/a.ts', 'node:util'],
  // Sideways.
  ['domain/b.ts', '../lib/sleep.ts'],
  ['lib/a.ts', '../domain/run.ts'],
  ['python-literal/b.ts', '../domain/errors.ts'],
  ['broker/a.ts', '../journal/open-journal.ts'],
  ['embedded/broker/a.ts', '../../broker/client.ts'],
  ['runtime/docker/container/a.ts', '../../../embedded/runtime/a.ts'],
  ['state-dir/a.ts', '../journal/open-journal.ts'],
  ['agent/retry/a.ts', '../events/events.ts'],
  ['agent/jobs/a.ts', '../images/image-puller.ts'],
  ['agent/network/a.ts', '../gpu-health/cordons.ts'],
  // Up.
  ['gpu/a.ts', '../agent/agent.ts'],
  ['agent/events/a.ts', '../jobs/slot-pool.ts'],
  ['agent/admission/a.ts', '../reconcile/recovery.ts'],
  ['agent/reconcile/a.ts', '../market/claim-loop.ts'],
  ['agent/market/a.ts', '../lifecycle/once.ts'],
  ['agent/lifecycle/a.ts', '../agent.ts'],
  ['agent/a.ts', '../compose.ts'],
  ['compose.ts', './daemon/signal-listener.ts'],
  ['agent/settings.ts', './retry/policies.ts'],
  ['daemon/a.ts', '../cli/command.ts'],
  ['cli/start/a.ts', '../../daemon/signal-listener.ts'],
  ['cli/jobs/a.ts', '../../main.ts'],
  // Past a port.
  ['agent/b.ts', '../broker/client.ts'],
  ['agent/jobs/b.ts', '../../runtime/docker/docker-runtime.ts'],
  ['agent/offers/a.ts', '../../config/config.ts'],
  // Packages that one folder wraps.
  ['agent/jobs/c.ts', 'dockerode'],
  ['runtime/docker/image/a.ts', 'undici'],
  ['broker/b.ts', 'undici'],
  ['gpu/b.ts', 'undici/lib/dispatcher/agent.js'],
  // No floor.
  ['unheard-of/a.ts', '../lib/sleep.ts'],
  ['agent/unheard-of/a.ts', '../../lib/sleep.ts'],
];

const ALLOWED_IMPORTS: readonly (readonly [file: string, specifier: string])[] = [
  ['domain/c.ts', './ports/clock.ts'],
  ['http-client/b.ts', 'undici'],
  ['runtime/docker/engine/b.ts', 'dockerode'],
  ['runtime/docker/image/b.ts', '../../../domain/errors.ts'],
  ['agent/jobs/d.ts', '../retry/policies.ts'],
  ['agent/market/b.ts', '../jobs/job-runner.ts'],
  ['agent/c.ts', './lifecycle/shutdown.ts'],
  ['cli/jobs/b.ts', '../table.ts'],
  ['daemon/b.ts', '../agent/events/events.ts'],
  ['agent/offers/b.ts', '../settings.ts'],
  ['main.ts', './cli/run.ts'],
];

/** Violations of the other rules: what, file, content, rule. */
const VIOLATIONS: readonly (readonly [what: string, file: string, content: string, rule: string])[] = [
  [
    'an import of a type that points up',
    'gpu/c.ts',
    `import type { a } from '../agent/a.ts';\nexport type C = a;\n`,
    'floors',
  ],
  [
    'an inline import of a type that points up',
    'gpu/d.ts',
    `export type D = import('../agent/a.ts').A;\n`,
    'floors',
  ],
  ['a re-export that points up', 'gpu/e.ts', `export * from '../agent/a.ts';\n`, 'floors'],
  ['an import() that points up', 'gpu/f.ts', `export const f = () => import('../agent/a.ts');\n`, 'floors'],
  ['a cycle', 'agent/d.ts', `import { e } from './e.ts';\nexport const d = () => e;\n`, 'no-cycle'],
  ['a cycle of types', 'agent/f.ts', `import type { G } from './g.ts';\nexport type F = G;\n`, 'no-cycle'],
  ['any', 'agent/h.ts', `export const h = (x: any): unknown => x;\n`, 'no-explicit-any'],
  ['a long file', 'agent/i.ts', `export const i = [\n${'  1,\n'.repeat(400)}];\n`, 'max-lines'],
  [
    'an empty catch',
    'agent/j.ts',
    `export function j(f: () => void): void {\n  try {\n    f();\n  } catch {}\n}\n`,
    'no-empty',
  ],
  ['process.exit', 'cli/c.ts', `export const c = (): never => process.exit(1);\n`, 'no-process-exit'],
  ['process.env', 'cli/d.ts', `export const d = process.env;\n`, 'no-process-env'],
  ['a default export', 'agent/k.ts', `const k = 1;\nexport default k;\n`, 'no-default-export'],
  ['console', 'agent/l.ts', `console.log(1);\n`, 'no-console'],
  [
    'a promise that nothing waits for',
    'agent/m.ts',
    `export function m(p: () => Promise<void>): void {\n  p();\n}\n`,
    'no-floating-promises',
  ],
];

/** The other halves of the cycles. */
const COUNTERPARTS: readonly (readonly [file: string, content: string])[] = [
  ['agent/e.ts', `import { d } from './d.ts';\nexport const e = () => d;\n`],
  ['agent/g.ts', `import type { F } from './f.ts';\nexport type G = F;\n`],
];

const Report = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

let directory: string;
let reports: readonly (readonly [file: string, rule: string])[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lint-'));
  for (const path of ['.oxlintrc.json', 'tsconfig.json', 'scripts/lint'])
    await cp(join(ROOT, path), join(directory, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const imports = [...FORBIDDEN_IMPORTS, ...ALLOWED_IMPORTS].map(
    ([file, specifier]) => [file, `import { x } from '${specifier}';\nexport const y = x;\n`] as const,
  );
  const others = VIOLATIONS.map(([, file, content]) => [file, content] as const);
  for (const [file, content] of [...imports, ...others, ...COUNTERPARTS]) {
    await mkdir(dirname(join(directory, 'src', file)), { recursive: true });
    await writeFile(join(directory, 'src', file), content);
  }
  const { diagnostics } = await lint(directory);
  reports = diagnostics.map(({ code, filename }) => [filename, code.replace(/^.*\((.*)\)$/, '$1')]);
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the linter', () => {
  test.each(FORBIDDEN_IMPORTS)('refuses that src/%s imports %s', (file) => {
    expect(reports).toContainEqual([`src/${file}`, 'floors']);
  });

  test.each(ALLOWED_IMPORTS)('accepts that src/%s imports %s', (file) => {
    expect(reports).not.toContainEqual([`src/${file}`, 'floors']);
  });

  test.each(VIOLATIONS)('refuses %s', (_, file, __, rule) => {
    expect(reports).toContainEqual([`src/${file}`, rule]);
  });

  test.each(FLOORS.flat())('has a floor for src/%s, which exists', (path) => {
    expect(existsSync(join(ROOT, 'src', path))).toBe(true);
  });
});

function lint(cwd: string): Promise<z.infer<typeof Report>> {
  const program = join(ROOT, 'node_modules/.bin/oxlint');
  return new Promise((done, failed) => {
    execFile(program, ['--format', 'json', 'src'], { cwd, maxBuffer: 1e7 }, (error, stdout) => {
      try {
        done(Report.parse(JSON.parse(stdout)));
      } catch (cause) {
        failed(new Error(`the linter gave no report: ${stdout}`, { cause: error ?? cause }));
      }
    });
  });
}
