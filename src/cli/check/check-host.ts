import { FILES_FLOOR_PART } from '../../agent/admission/resource-checks.ts';
import type { Config } from '../../config/config.ts';
import { showSize } from '../../config/size.ts';
import { PLATFORM_NAMES, type Platform } from '../../domain/platform.ts';
import type { FileSystem } from '../../host/disk-space.ts';
import type { HostFacts } from '../../host/host-facts.ts';
import { readableBytes } from '../../lib/readable.ts';
import type { StateDirInspection } from '../../state-dir/inspection.ts';
import type { RunningAgent } from '../../state-dir/running-agent.ts';
import { count } from '../count.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';

const MIN_NODE = 24;
/** The platform's requirements for a provider's host, in bytes. */
export const PLATFORM_MINIMUM = { disk: 30e9, memory: 8e9 } as const;

/** The Node.js that runs this process. */
export function checkNode(version: string): CheckResult {
  const major = Number.parseInt(version, 10);
  return major >= MIN_NODE
    ? ok('node', `Node.js ${version}`)
    : fail('node', `Node.js ${version} is too old`, `install Node.js ${MIN_NODE} or newer`);
}

/** The operating system, the CPU and the virtualisation; nothing here keeps jobs from running. */
export function checkHost(facts: HostFacts, platform: Platform = 'linux'): CheckResult {
  const { cpu, os, virtualization } = facts;
  const known = [
    os,
    cpu && `${cpu.model}, ${count(cpu.cores, 'core')}`,
    virtualization && `virtualization ${virtualization}`,
    PLATFORM_NAMES[platform],
  ].filter((part) => part !== undefined);
  return known.length > 0 ? ok('host', known.join('; ')) : warn('host', 'the operating system was not read');
}

/** Whether an agent can keep its journal there. A running agent on it is no failure. */
export function checkStateDir(path: string, answer: QueryResult<StateDirInspection>): CheckResult {
  if ('error' in answer) return fromError('state directory', answer.error);
  const seen = answer.value;
  if (seen.kind === 'absent')
    return ok('state directory', `${path}, absent; can be created in ${seen.parent}`);
  const open = seen.openJobs === 0 ? '' : `, ${count(seen.openJobs, 'unfinished job')}`;
  return ok('state directory', `${path}${agentText(seen.agent)}${open}`);
}

function agentText(agent: RunningAgent): string {
  if (agent.kind === 'none') return '';
  return `, in use by a running agent${agent.pid === undefined ? '' : ` (process ${agent.pid})`}`;
}

/** Free space for images and jobs' files; below the owner's minimum no job is claimed. */
export function checkDisks(
  config: Pick<Config, 'minFreeDisk'>,
  answer: QueryResult<readonly FileSystem[]>,
): CheckResult[] {
  if ('error' in answer) return [fromError('disk', answer.error, 'warn')];
  return answer.value.flatMap((fileSystem) => [
    checkDisk(fileSystem, config.minFreeDisk),
    ...checkInodes(fileSystem),
  ]);
}

/** Nearly used up inodes: the disk can hold hardly any more files, whatever its free space. */
function checkInodes({ freeInodes, path }: FileSystem): readonly CheckResult[] {
  if (freeInodes >= 2 * FILES_FLOOR_PART) return [];
  const found = `${(freeInodes * 100).toFixed(1)} % of the inodes at ${path} are free`;
  const hint = `delete directories with many small files; find them with: sudo du --inodes -xS ${path} | sort -n | tail`;
  return freeInodes < FILES_FLOOR_PART
    ? [fail('inodes', `${found}: no job is claimed below ${FILES_FLOOR_PART * 100} %`, hint)]
    : [warn('inodes', found, hint)];
}

function checkDisk({ freeBytes, path, sizeBytes }: FileSystem, minFreeBytes: number): CheckResult {
  const found = `${readableBytes(freeBytes)} free of ${readableBytes(sizeBytes)} at ${path}`;
  if (freeBytes < minFreeBytes)
    return fail(
      'disk',
      `${found}: no job is claimed below ${showSize(minFreeBytes)}`,
      'free disk space, or lower --min-free-disk',
    );
  if (freeBytes < PLATFORM_MINIMUM.disk)
    return warn(
      'disk',
      `${found}: the platform requires ${readableBytes(PLATFORM_MINIMUM.disk)}`,
      'free disk space, or use a larger disk',
    );
  return ok('disk', found);
}

/** The host's memory. */
export function checkMemory(memory: HostFacts['memory']): CheckResult {
  if (memory === undefined) return warn('memory', 'the size of the memory was not read');
  const found = `${readableBytes(memory.availableBytes)} available of ${readableBytes(memory.totalBytes)}`;
  if (memory.totalBytes >= PLATFORM_MINIMUM.memory) return ok('memory', found);
  return warn(
    'memory',
    `${found}: the platform requires ${readableBytes(PLATFORM_MINIMUM.memory)}`,
    'add memory: large jobs may run out of it',
  );
}
