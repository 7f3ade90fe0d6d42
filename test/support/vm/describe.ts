/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/expect-expect, vitest/valid-describe-callback
   -- this file decides whether a suite runs. */
import { describe } from 'vitest';
import { leaveOut } from '../leave-out.ts';
import { whyNoVm } from './vm.ts';

/** A suite that boots a virtual machine; skipped under a name that says why it cannot, or failed where CI=true. */
export function describeVm(name: string, body: () => void): void {
  const missing = whyNoVm();
  if (missing === undefined) describe(name, body);
  else leaveOut(name, missing);
}
