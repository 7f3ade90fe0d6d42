import { describeDocker, type TestEngine } from '../engine/docker.ts';
import { leaveOut } from '../leave-out.ts';
import { whyNot } from './disks.ts';

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
