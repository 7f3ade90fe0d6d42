/* oxlint-disable vitest/valid-describe-callback, vitest/valid-title -- this file decides whether suites run. */
import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';
import { leaveOut } from '../leave-out.ts';

/** A suite that needs Prometheus; without it the suite is skipped under a name that says why, and fails where CI=true. */
export function describePrometheus(name: string, body: () => void): void {
  const { error } = spawnSync('promtool', ['--version']);
  if (error !== undefined) return leaveOut(name, 'there is no promtool: install Debian’s package prometheus');
  describe(name, body);
}

/** Runs promtool; what it printed matters where it failed. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly output: string } {
  const { status, stderr, stdout } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
