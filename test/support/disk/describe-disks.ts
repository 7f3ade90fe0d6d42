import { describeDocker, leaveOut, type TestEngine } from '../engine/docker.ts';
import { whyNoMounts } from './disks.ts';

/**
 * A suite that mounts disks of its own and needs a Docker engine beside. Where it may not mount, it is skipped under
 * a name that says why; where CI=true it fails instead.
 */
export function describeDisks(name: string, body: (engine: TestEngine) => void): void {
  const why = whyNoMounts();
  if (why !== undefined) return leaveOut(name, `this user may not mount disks: ${why}`);
  describeDocker(name, body);
}
