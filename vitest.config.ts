import { defineConfig } from 'vitest/config';
import { LONG } from './test/support/chaos/length.ts';

/** One project per kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, more: { readonly timeout?: number; readonly serial?: boolean } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: more.timeout ?? 20_000,
    hookTimeout: more.timeout ?? 20_000,
    pool: 'forks' as const,
    fileParallelism: more.serial !== true,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('contract', { timeout: 60_000 }),
      project('docker', { timeout: 180_000, serial: true }),
      project('e2e', { timeout: 180_000, serial: true }),
      project('chaos', { timeout: LONG ? 2 * 3_600_000 : 600_000, serial: true }),
      project('package', { timeout: 300_000, serial: true }),
    ],
  },
});
