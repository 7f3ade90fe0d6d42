import type { Config } from '../../config/config.ts';
import { showSize } from '../../config/size.ts';
import type { HostFacts } from '../../host/host-facts.ts';
import type { StateDirInspection } from '../../state-dir/inspection.ts';
import type { RunningAgent } from '../../state-dir/running-agent.ts';
import { count } from '../count.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, ok, troubled, warn } from './check-result.ts';
import type { DiskSpace } from './disk-space.ts';

const LEAST_NODE = 24;
/** What the platform asks of a provider's host, in bytes. */
export const PLATFORM_ASKS = { disk: 30e9, memory: 8e9 } as const;

/** The Node.js that runs this. */
export function checkNode(version: string): CheckResult {
  const major = Number.parseInt(version, 10);
  return major >= LEAST_NODE
    ? ok('node', `Node.js ${version}`)
    : fail('node', `Node.js ${version} is too old`, `install Node.js ${LEAST_NODE} or newer`);
}

/** Whether an agent can keep its journal there. One that does so now is no trouble. */
export function checkStateDir(path: string, answer: QueryResult<StateDirInspection>): CheckResult {
  if ('error' in answer) return troubled('state directory', answer.error);
  const seen = answer.value;
  if (seen.kind === 'absent')
    return ok('state directory', `${path}, not there yet and can be made in ${seen.parent}`);
  const open = seen.openJobs === 0 ? '' : `, ${count(seen.openJobs, 'unfinished job')}`;
  return ok('state directory', `${path}${agentText(seen.agent)}${open}`);
}

function agentText(agent: RunningAgent): string {
  if (agent.kind === 'none') return '';
  return `, in use by a running agent${agent.pid === undefined ? '' : ` (process ${agent.pid})`}`;
}

/** DiskSpace for images and for what jobs write: below the owner's own limit nothing is claimed. */
export function checkDiskSpace(
  config: Pick<Config, 'minFreeDisk'>,
  answer: QueryResult<readonly DiskSpace[]>,
): CheckResult[] {
  if ('error' in answer) return [troubled('disk', answer.error, 'warn')];
  return answer.value.map((room) => judgeRoom(room, config.minFreeDisk));
}

function judgeRoom({ freeBytes, path, sizeBytes }: DiskSpace, least: number): CheckResult {
  const found = `${gigabytes(freeBytes)} free of ${gigabytes(sizeBytes)} at ${path}`;
  if (freeBytes < least)
    return fail(
      'disk',
      `${found}: below ${showSize(least)} no job is taken`,
      'make room, or lower --min-free-disk',
    );
  if (freeBytes < PLATFORM_ASKS.disk)
    return warn(
      'disk',
      `${found}: the platform asks for ${gigabytes(PLATFORM_ASKS.disk)}`,
      'make room, or use a larger disk',
    );
  return ok('disk', found);
}

/** The host's memory. */
export function checkMemory(memory: HostFacts['memory']): CheckResult {
  if (memory === undefined) return warn('memory', 'this host does not tell how much it has');
  const found = `${gigabytes(memory.availableBytes)} available of ${gigabytes(memory.totalBytes)}`;
  if (memory.totalBytes >= PLATFORM_ASKS.memory) return ok('memory', found);
  const asked = `the platform asks for ${gigabytes(PLATFORM_ASKS.memory)}`;
  return warn('memory', `${found}: ${asked}`, 'large jobs may be ended for want of memory; add some');
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 100e9 ? 1 : 0).replace(/\.0$/, '')} GB`;
}
