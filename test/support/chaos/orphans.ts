import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { ChaosEnv } from './chaos-env.ts';

/** What agents have left behind, by kind; nothing is to be in any. */
export type Orphans = Readonly<
  Record<'containers' | 'volumes' | 'folders' | 'processes' | 'claims', readonly string[]>
>;

export const NOTHING: Orphans = { containers: [], volumes: [], folders: [], processes: [], claims: [] };

/** Looks for what is left once no agent is there any more. */
export async function orphansOf(chaos: ChaosEnv, agentId: string): Promise<Orphans> {
  const label = [`sharedcloud.agent=${agentId}`];
  const listed = await chaos.engine.docker.listContainers({
    all: true,
    filters: JSON.stringify({ label }),
  });
  return {
    containers: [...new Set([...listed.map(({ Id }) => Id), ...chaos.watch.leftOf(chaos.jobs)])],
    volumes: chaos.watch.volumes,
    folders: await readdir(join(chaos.stateDir, 'jobs')),
    processes: await processesOf(chaos.stateDir),
    claims: chaos.store.market.jobs
      .all()
      .filter(({ status }) => status === JOB_STATUS.IN_PROGRESS)
      .map(({ uuid }) => uuid),
  };
}

/** The processes with this state directory in their environment. */
async function processesOf(stateDir: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ours = await Promise.all(
    pids.map(async (pid) => ((await environmentOf(pid)).includes(stateDir) ? [pid] : [])),
  );
  return ours.flat();
}

async function environmentOf(pid: string): Promise<string> {
  try {
    return await readFile(join('/proc', pid, 'environ'), 'utf8');
  } catch {
    // It has just ended, or belongs to somebody else: no process that was started here.
    return '';
  }
}
