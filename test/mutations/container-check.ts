import type { Mutation } from '../../scripts/mutations/mutation.ts';

const file = 'src/runtime/docker/container/check.ts';
const UNIT = 'test/unit/runtime/docker/container/spec.test.ts';

/** Fields that no container of a job may have. */
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

const never = NEVER_SET.map(
  (field): Mutation => ({
    protection: `a container with ${field} is refused`,
    file,
    text: `  '${field}',\n`,
    becomes: '',
    test: { file: UNIT, name: 'refuses %s' },
  }),
);

const wrong = (protection: string, text: string, becomes: string, what: string): Mutation => ({
  protection,
  file,
  text,
  becomes,
  // The row of the table of what is wrong.
  test: { file: UNIT, name: what },
});

/** What Docker made is compared with what was asked. */
export const CONTAINER_CHECK: readonly Mutation[] = [
  ...never,
  wrong(
    'another image is refused',
    "...(container['Image'] === imageId ? [] : ['Image']),",
    '',
    'another image',
  ),
  wrong('another user is refused', "...differingPaths(wantedConfig, config, 'Config'),", '', 'root'),
  wrong(
    'a lost limit is refused',
    "...differingPaths(comparedHost, host, 'HostConfig'),",
    '',
    'a lost limit',
  ),
  wrong('a longer list is refused', ' || got.length !== wanted.length', '', 'an additional security option'),
  wrong(
    'another limit of a process is refused',
    "...ulimitDifferences(wantedUlimits, ULIMITS.parse(host['Ulimits'] ?? [])),",
    '',
    'refuses another or a second ulimit %s',
  ),
  wrong(
    'an open /proc is refused',
    "['MaskedPaths', 'ReadonlyPaths']",
    "['ReadonlyPaths']",
    'an unmasked /proc',
  ),
  wrong(
    'a writable /proc is refused',
    "['MaskedPaths', 'ReadonlyPaths']",
    "['MaskedPaths']",
    'a writable /proc',
  ),
  wrong(
    'a lost variable is refused',
    'return [...missing, ...guarded]',
    'return [...guarded]',
    'a lost variable',
  ),
  wrong(
    'a guarded variable is refused',
    'return [...missing, ...guarded]',
    'return [...missing]',
    'a guarded variable',
  ),
  wrong(
    'a volume is refused',
    "...(countVolumes(container['Mounts']) === 0 ? [] : ['Mounts']),",
    '',
    'a volume',
  ),
  wrong(
    'a lost limit of swap is refused where there is one',
    'const comparedHost = swapLimit ? wantedHost',
    'const comparedHost = !swapLimit ? wantedHost',
    'accepts a missing swap limit only from an engine without swap limits',
  ),
  {
    protection: 'a container that differs is not started',
    file: 'src/runtime/docker/container/create.ts',
    text: 'if (differences.length === 0) return id;',
    becomes: 'return id;',
    test: {
      file: 'test/docker/runtime/lifecycle.test.ts',
      name: 'is refused, and removed',
    },
  },
];
