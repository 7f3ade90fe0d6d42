import { configDefaults, defineConfig } from 'vitest/config';
import { amount, LONG } from './test/support/chaos/length.ts';
import { KeepFailures } from './test/support/keep-failures.ts';
import { NameSkipped } from './test/support/name-skipped.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

/** One project per kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, more: { readonly timeout?: number; readonly files?: number } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: more.timeout ?? 20_000,
    hookTimeout: more.timeout ?? 20_000,
    pool: 'forks' as const,
    // Vitest's second is a period; what is polled for here is a condition that stays.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    // Vitest itself would leave one core idle.
    maxWorkers: more.files ?? '100%',
    // What computes goes first; then, together, what mostly waits for containers and processes.
    ...(more.files !== undefined && { sequence: { groupOrder: 1 } }),
  },
});

/** Files at once that use a real engine: they wait more than they compute. Figures are measured one by one. */
const FILES = amount('FILES_AT_ONCE', 4, 1);

/** Where failures are kept, too: `.ci/run` prints them last. */
const { FAILURES } = process.env;

export default defineConfig({
  test: {
    reporters: [
      ...configDefaults.reporters,
      new NameSkipped(),
      ...(FAILURES === undefined ? [] : [new KeepFailures(FAILURES)]),
    ],
    sequence: { sequencer: SlowestFirst },
    projects: [
      project('unit'),
      project('contract', { timeout: 60_000 }),
      project('browser', { timeout: 60_000, files: 2 }),
      project('docker', { timeout: 180_000, files: FILES }),
      project('e2e', { timeout: 180_000, files: FILES }),
      project('package', { timeout: 600_000, files: FILES }),
      project('fleet', { timeout: 600_000, files: FILES }),
      project('vm', { timeout: 1_000_000, files: FILES }),
      project('chaos', { timeout: LONG ? 2 * 3_600_000 : 600_000, files: FILES }),
    ],
  },
});
