/* oxlint-disable vitest/no-conditional-tests, vitest/valid-describe-callback, vitest/valid-title -- this file decides whether suites run. */
import { describe } from 'vitest';
import { leaveOut } from '../leave-out.ts';
import { whyNoCgroup } from './cgroup.ts';

/** A suite that needs memory cgroups of its own; otherwise as describeDocker. */
export function describeCgroup(name: string, body: () => void): void {
  const why = whyNoCgroup();
  if (why === undefined) describe(name, body);
  else leaveOut(name, why);
}
