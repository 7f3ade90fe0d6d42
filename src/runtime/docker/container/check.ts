import { z } from 'zod';
import { isGuarded } from './env.ts';
import type { ContainerSpec, Ulimit } from './spec.ts';

const RECORD = z.record(z.string(), z.unknown());
const STRINGS = z.array(z.string());
const ULIMITS = z.array(z.object({ Name: z.string(), Soft: z.number(), Hard: z.number() }));
const MOUNTS = z.array(z.object({ Type: z.string() }));

/** `HostConfig` fields that a job's container never sets. The engine must show them empty. */
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
 * The fields in which the created container differs from its spec; empty if there are none. `inspected` is the engine's
 * description of it, `imageId` the image it must be made from, `swapLimit` whether the engine can limit swap.
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
  const { name: _, HostConfig: wanted, Env: wantedEnv, ...wantedConfig } = spec;
  const { Ulimits: wantedUlimits, ...wantedHost } = wanted;
  // An engine without swap accounting drops this limit with a warning.
  const comparedHost = swapLimit ? wantedHost : { ...wantedHost, MemorySwap: host['MemorySwap'] };
  return [
    ...(container['Image'] === imageId ? [] : ['Image']),
    ...differingPaths(wantedConfig, config, 'Config'),
    ...differingPaths(comparedHost, host, 'HostConfig'),
    ...ulimitDifferences(wantedUlimits, ULIMITS.parse(host['Ulimits'] ?? [])),
    ...NEVER_SET.filter((field) => !isEmpty(host[field])).map((field) => `HostConfig.${field}`),
    // Engines since 19.03 show these lists. An empty one means that /proc is unmasked.
    ...['MaskedPaths', 'ReadonlyPaths'].filter((field) => Array.isArray(host[field]) && isEmpty(host[field])),
    ...envDifferences(wantedEnv, STRINGS.parse(config['Env'] ?? [])),
    ...(countVolumes(container['Mounts']) === 0 ? [] : ['Mounts']),
  ];
}

/** The paths at which `got` differs from `wanted`. Fields that only `got` has are ignored. */
function differingPaths(wanted: unknown, got: unknown, path: string): readonly string[] {
  if (isEmpty(wanted) && isEmpty(got)) return [];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(got) || got.length !== wanted.length) return [path];
    return wanted.flatMap((item, index) => differingPaths(item, got[index], `${path}[${index}]`));
  }
  if (!isRecord(wanted)) return wanted === got ? [] : [path];
  if (!isRecord(got)) return [path];
  return Object.entries(wanted).flatMap(([name, value]) =>
    differingPaths(value, got[name], `${path}.${name}`),
  );
}

/** By hand and not by a schema, which would copy what it reads and make an error for each other value. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function envDifferences(wanted: readonly string[], got: readonly string[]): readonly string[] {
  const missing = wanted.filter((entry) => entry.includes('=') && !got.includes(entry));
  const guarded = got.filter((entry) => isGuarded(entry) && entry.includes('=') && !wanted.includes(entry));
  return [...missing, ...guarded].map((entry) => `Config.Env ${entry.split('=', 1)[0]}`);
}

/** Each of our ulimits must be there, and only as asked. The engine's own `default-ulimits` may be there too. */
function ulimitDifferences(wanted: readonly Ulimit[], got: readonly Ulimit[]): readonly string[] {
  return wanted.flatMap((ulimit) => {
    const named = got.filter(({ Name }) => Name === ulimit.Name);
    const isAsAsked = named.length > 0 && named.every((one) => differingPaths(ulimit, one, '').length === 0);
    return isAsAsked ? [] : [`HostConfig.Ulimits ${ulimit.Name}`];
  });
}

/** Counts the mounts that are neither binds nor tmpfs, because a volume outlives its container. */
function countVolumes(mounts: unknown): number {
  const read = MOUNTS.parse(mounts ?? []);
  return read.filter(({ Type }) => Type !== 'bind' && Type !== 'tmpfs').length;
}
