/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback -- this file decides whether a suite runs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import { leaveOut } from '../leave-out.ts';

const TOOLS = ['slurmctld', 'slurmd', 'munged', 'munge', 'srun', 'mknod', 'ip'];

/** A suite that needs a Slurm of its own; skipped under a name that says why, or failed where CI=true. */
export async function describeSlurm(name: string, body: () => void): Promise<void> {
  const missing = await whyNot();
  if (missing === undefined) describe(name, body);
  else leaveOut(name, missing);
}

async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can start Slurm';
  const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
  for (const tool of TOOLS) {
    const found = promisify(execFile)('sh', ['-c', `command -v ${tool}`], { env: { PATH } });
    if (!(await found.then(Boolean, () => false))) return `${tool} is missing`;
  }
  return undefined;
}
