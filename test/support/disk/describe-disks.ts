/* oxlint-disable vitest/no-conditional-tests, vitest/valid-describe-callback, vitest/valid-title -- decides whether suites run. */
import { describe } from 'vitest';
import { describeDocker, type TestEngine } from '../engine/docker.ts';
import { leaveOut } from '../leave-out.ts';
import { whyNot } from './disks.ts';

/** A suite that mounts such disks, or one that is skipped under a name that says why it cannot; with CI=true it fails. */
export function describeMounts(name: string, disk: () => Disposable, body: () => void): void {
  const why = whyNot(disk);
  if (why === undefined) describe(name, body);
  else leaveOut(name, `no disk for it: ${why}`);
}

/**
 * A suite that mounts such disks and needs a Docker engine beside. Where they cannot be had, as by anybody but root,
 * it is skipped under a name that says why; where CI=true it fails instead.
 */
export function describeDisks(
  name: string,
  disk: () => Disposable,
  body: (engine: TestEngine) => void,
): void {
  const why = whyNot(disk);
  if (why !== undefined) return leaveOut(name, `no disk for it: ${why}`);
  describeDocker(name, body);
}
