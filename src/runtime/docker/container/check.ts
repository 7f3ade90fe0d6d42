import { z } from 'zod';
import { isGuarded } from './env.ts';
import type { ContainerSpec } from './spec.ts';

const RECORD = z.record(z.string(), z.unknown());
const STRINGS = z.array(z.string());

/** Host fields that a job's container never has; the engine shows them empty. */
const NEVER_SET = [
  'Privileged',
  'Binds',
  'CapAdd',
  'Devices',
  'DeviceCgroupRules',
  'PidMode',
  'UTSMode',
  'UsernsMode',
  'VolumesFrom',
  'VolumeDriver',
  'ExtraHosts',
  'Sysctls',
  'GroupAdd',
  'PortBindings',
  'PublishAllPorts',
  'Links',
  'CgroupParent',
  'OomKillDisable',
];

/**
 * Every way in which the container that the engine made differs from what was asked; empty where it is right.
 * `inspected` is the engine's description of it, `imageId` the image that it must be made of, `swapLimit` whether
 * the engine can limit swap at all.
 */
export function containerDifferences(
  spec: ContainerSpec,
  inspected: unknown,
  imageId: string,
  swapLimit: boolean,
): readonly string[] {
  const container = RECORD.parse(inspected);
  const config = RECORD.parse(container['Config']);
  const host = RECORD.parse(container['HostConfig']);
  const { name: _, HostConfig: wantedHost, Env: wantedEnv, ...wantedConfig } = spec;
  // Without swap accounting, the engine drops this limit and says so in a warning.
  const comparedHost = swapLimit ? wantedHost : { ...wantedHost, MemorySwap: host['MemorySwap'] };
  return [
    ...(container['Image'] === imageId ? [] : ['Image']),
    ...unlike(wantedConfig, config, 'Config'),
    ...unlike(comparedHost, host, 'HostConfig'),
    ...NEVER_SET.filter((field) => !isEmpty(host[field])).map((field) => `HostConfig.${field}`),
    // Shown by engines since 19.03; an empty list would mean that /proc is open.
    ...['MaskedPaths', 'ReadonlyPaths'].filter((field) => Array.isArray(host[field]) && isEmpty(host[field])),
    ...unlikeEnv(wantedEnv, STRINGS.parse(config['Env'] ?? [])),
    ...(volumesOf(container['Mounts']) === 0 ? [] : ['Mounts']),
  ];
}

/** The paths at which `got` lacks something of `wanted`; what `got` has beyond it does not count. */
function unlike(wanted: unknown, got: unknown, path: string): readonly string[] {
  if (isEmpty(wanted) && isEmpty(got)) return [];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(got) || got.length !== wanted.length) return [path];
    return wanted.flatMap((item, index) => unlike(item, got[index], `${path}[${index}]`));
  }
  const fields = RECORD.safeParse(wanted);
  if (!fields.success) return wanted === got ? [] : [path];
  const found = RECORD.safeParse(got);
  if (!found.success) return [path];
  return Object.entries(fields.data).flatMap(([name, value]) =>
    unlike(value, found.data[name], `${path}.${name}`),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function unlikeEnv(wanted: readonly string[], got: readonly string[]): readonly string[] {
  const missing = wanted.filter((entry) => entry.includes('=') && !got.includes(entry));
  const guarded = got.filter((entry) => isGuarded(entry) && entry.includes('=') && !wanted.includes(entry));
  return [...missing, ...guarded].map((entry) => `Config.Env ${entry.split('=', 1)[0]}`);
}

/** How many mounts other than binds and memory there are: volumes outlive their container. */
function volumesOf(mounts: unknown): number {
  const read = z.array(z.object({ Type: z.string() })).parse(mounts ?? []);
  return read.filter(({ Type }) => Type !== 'bind' && Type !== 'tmpfs').length;
}
