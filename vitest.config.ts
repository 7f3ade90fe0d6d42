import { configDefaults, defineConfig } from 'vitest/config';
import { LONG } from './test/support/chaos/length.ts';
import { NameSkipped } from './test/support/name-skipped.ts';

/** One project per kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, more: { readonly timeout?: number; readonly files?: number } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: more.timeout ?? 20_000,
    hookTimeout: more.timeout ?? 20_000,
    pool: 'forks' as const,
    // Projects with as many files at once as they like go first, each other one after them by itself.
    ...(more.files !== undefined && {
      maxWorkers: more.files,
      sequence: { groupOrder: GROUPS.indexOf(name) + 1 },
    }),
  },
});

/** Projects that are run one after another. */
const GROUPS = ['docker', 'e2e', 'package', 'chaos'];

export default defineConfig({
  test: {
    reporters: [...configDefaults.reporters, new NameSkipped()],
    projects: [
      project('unit'),
      project('contract', { timeout: 60_000 }),
      project('docker', { timeout: 180_000, files: 1 }),
      project('e2e', { timeout: 180_000, files: 1 }),
      project('package', { timeout: 600_000, files: 1 }),
      // Three at once: most of what they do is to wait for what breaks. Figures are measured one by one.
      LONG
        ? project('chaos', { timeout: 2 * 3_600_000, files: 1 })
        : project('chaos', { timeout: 600_000, files: 3 }),
    ],
  },
});
