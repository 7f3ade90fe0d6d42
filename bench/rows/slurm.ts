import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openRentedCluster } from '../../test/support/slurm/rented-cluster.ts';
import { now } from '../measure/now.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

/**
 * From `srun` to the first line of the owner's job, on a GPU whose stranger ignores SIGTERM for the three seconds that it has;
 * beside a node without an agent. Nothing where Slurm is not installed.
 */
export const slurm: Row = {
  name: 'slurm',
  measure: async ({ engine, entry, quick, say }) => {
    const found = promisify(execFile)('sh', ['-c', 'command -v slurmctld slurmd munged srun']);
    if (!(await found.then(Boolean, () => false))) {
      say('Slurm is not installed');
      return [];
    }
    await using cluster = await openRentedCluster(engine, entry);
    const started = async (node: string): Promise<number> => {
      await cluster.sold();
      const began = now();
      const job = cluster.submit(node, '--gres=gpu:1');
      await job.started;
      const tookMs = now() - began;
      await job.end();
      return tookMs;
    };
    const ours: number[] = [];
    const bare: number[] = [];
    for (let sample = 0; sample < (quick ? 1 : 10); sample += 1) {
      bare.push(await started('b'));
      ours.push(await started('a'));
    }
    const about = {
      what: 'start of an owner’s job under Slurm on a sold GPU',
      unit: 'ms',
      targets: [{ of: 'p95', atMost: 5_000 } as const],
    };
    return [figureOf(about, ours, { what: 'on a node without an agent', samples: bare })];
  },
};
