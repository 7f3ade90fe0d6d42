import type { Mutation } from '../../scripts/mutations/mutation.ts';

const SPEC = 'src/runtime/docker/container/spec.ts';
const ENV = 'src/runtime/docker/container/env.ts';
const SECCOMP = 'src/runtime/docker/container/seccomp.ts';
const IMAGES = 'src/runtime/docker/image/images.ts';
const PULL = 'src/runtime/docker/image/pull.ts';
const IMAGE = 'src/runtime/docker/image/config.ts';
const VOLUMES = 'src/runtime/docker/container/volumes.ts';
const UNIT = 'test/unit/runtime/docker/container/spec.test.ts';
const SANDBOX = 'test/docker/runtime/sandbox.test.ts';
const CALLS = 'test/docker/runtime/kernel-calls.test.ts';
const LIFECYCLE = 'test/docker/runtime/lifecycle.test.ts';

const byField = { file: UNIT, name: 'has exactly these fields' };
const nobody = { file: SANDBOX, name: 'a user that is nobody, without any capability or a way to more' };
const limits = { file: SANDBOX, name: 'its limits' };
const input = { file: SANDBOX, name: 'its input, which it cannot change' };
const environment = {
  file: SANDBOX,
  name: 'the environment that it was given, with a home that it may write to',
};
const hostileImage = { file: SANDBOX, name: 'gets nothing of what it asks for' };
const volumes = { file: LIFECYCLE, name: 'gets memory of a limited size in their place' };
const profile = { file: CALLS, name: 'gives out no room on the disk that is not written' };
const calls = { file: CALLS, name: 'answers no call that leads out of the container' };
const network = {
  file: UNIT,
  name: 'uses the network %s with explicit resolvers',
};

type Row = readonly [protection: string, text: string, becomes: string, test: Mutation['test']];

const spec: readonly Row[] = [
  [
    'the user is nobody',
    "User: limits.user === 'separate' ? separateUser(plan.neighbour) : limits.user,",
    "User: '0:0',",
    nobody,
  ],
  ['no capabilities', "CapDrop: ['ALL'],", 'CapDrop: [],', nobody],
  ['no new privileges', "SecurityOpt: ['no-new-privileges', ", 'SecurityOpt: [', nobody],
  ['a profile of system calls', '...(input.seccomp ? [`seccomp=${SECCOMP_PROFILE}`] : [])', '', profile],
  ['a limit of memory', 'Memory: resources.memoryBytes,', 'Memory: 2 * resources.memoryBytes,', limits],
  ['no swap beyond it', 'MemorySwap: resources.memoryBytes,', 'MemorySwap: -1,', byField],
  ['a limit of CPUs', 'NanoCpus: Math.round(resources.cpus * 1e9),', '', limits],
  ['a limit of processes', 'PidsLimit: limits.pidsLimit,', 'PidsLimit: 2 * limits.pidsLimit,', limits],
  ['the kernel ends jobs before the host', 'OomScoreAdj: 500,', '', limits],
  [
    'a limit of shared memory',
    'ShmSize: Math.min(GIB, Math.floor(resources.memoryBytes / 4)),',
    'ShmSize: GIB,',
    limits,
  ],
  ['no core dumps', "{ Name: 'core', Soft: 0, Hard: 0 },", '', limits],
  [
    'a limit of a single file',
    "{ Name: 'fsize', Soft: limits.diskBytes, Hard: limits.diskBytes },",
    '',
    limits,
  ],
  [
    'a limit of open files',
    "{ Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },",
    '',
    limits,
  ],
  ['no precedence over this host', "{ Name: 'rtprio', Soft: 0, Hard: 0 },", '', byField],
  [
    'the input cannot be changed',
    'ReadOnly: true,\n          BindOptions',
    'ReadOnly: false,\n          BindOptions',
    input,
  ],
  [
    'mounts of a job stay its own',
    "Propagation: 'rprivate' },\n        },\n      ],\n      Tmpfs",
    "Propagation: 'rshared' },\n        },\n      ],\n      Tmpfs",
    byField,
  ],
  [
    'memory in place of volumes',
    'Tmpfs: tmpfsForVolumes(image.volumes, resources.memoryBytes),',
    'Tmpfs: {},',
    volumes,
  ],
  [
    'a quota where the storage has them',
    '...(input.diskQuota ? { StorageOpt: { size: String(limits.diskBytes) } } : {}),',
    '',
    { file: UNIT, name: 'limits the disk through the engine if its storage driver can' },
  ],
  ['a limit of the log', "'max-size': '20m', 'max-file': '3', ", '', byField],
  [
    'no network unless it is decided',
    "const { network = 'none' } = plan;",
    "const { network = 'bridge' } = plan;",
    { file: SANDBOX, name: 'no network but its own loopback' },
  ],
  ['the jobs’ own network', 'isolated: NETWORK_NAME,', "isolated: 'bridge',", network],
  ['resolvers of the jobs’ own', 'Dns: limits.dns,', 'Dns: [],', network],
  ['no domains of this host', "DnsSearch: ['.'],", '', byField],
  ['an init', 'Init: true,\n      RestartPolicy', 'RestartPolicy', byField],
  [
    'no restart',
    "RestartPolicy: { Name: 'no' },\n      AutoRemove: false,\n      IpcMode",
    'AutoRemove: false,\n      IpcMode',
    byField,
  ],
  [
    'the exit outlives the container',
    "AutoRemove: false,\n      IpcMode: 'private',\n      Cgroup",
    "IpcMode: 'private',\n      Cgroup",
    byField,
  ],
  [
    'IPC of its own',
    "IpcMode: 'private',\n      CgroupnsMode: 'private',\n    },\n  };",
    "CgroupnsMode: 'private',\n    },\n  };",
    byField,
  ],
  [
    'cgroups of its own',
    "IpcMode: 'private',\n      CgroupnsMode: 'private',\n    },\n  };",
    "IpcMode: 'private',\n    },\n  };",
    byField,
  ],
  [
    'no health check of the image',
    "Healthcheck: { Test: ['NONE'] },\n    HostConfig",
    'HostConfig',
    hostileImage,
  ],
  ['no stop signal of the image', "StopSignal: 'SIGTERM',\n    Healthcheck", 'Healthcheck', hostileImage],
  ['labels that the image cannot take', '[LABELS.agent]: input.agentId,', '', hostileImage],
  [
    'no labels of the image',
    "...Object.fromEntries(image.labels.map((name) => [name, ''])),",
    '',
    hostileImage,
  ],
  ['the runtime is named', 'Runtime: gpu.runtime ?? limits.runtime,', "Runtime: '',", byField],
  [
    'a GPU by its uuid',
    'DeviceRequests: gpu.requests,',
    'DeviceRequests: [],',
    { file: SANDBOX, name: 'is asked for by its uuid, with named capabilities' },
  ],
  [
    'a name that leads nowhere else',
    '/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/',
    '/./',
    { file: UNIT, name: 'cannot have the job id %j in its name' },
  ],
];

const env: readonly Row[] = [
  ['no NVIDIA_ variables of the image', 'NVIDIA_|', '', hostileImage],
  ['no LD_ variables of the image', 'LD_|', '', hostileImage],
  ['no DOCKER_ variables of the image', '|DOCKER_', '', hostileImage],
  ['no such variables of the job', '.filter(([name]) => name in ours || !isGuarded(name))', '', environment],
  ['a home that can be written', "HOME: '/tmp',", '', environment],
  ['a folder for temporary files', "TMPDIR: '/tmp',", '', environment],
  ['no GPU unless it is given', 'NVIDIA_VISIBLE_DEVICES: visibleDevices,', '', environment],
  ['named capabilities of a GPU', "NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',", '', environment],
  ['variables are taken away', ', ...new Set(removed)]', ']', hostileImage],
];

const image: readonly Row[] = [
  ['volumes are seen', 'volumes: Object.keys(Config?.Volumes ?? {}),', 'volumes: [],', volumes],
  ['labels are seen', 'labels: Object.keys(Config?.Labels ?? {}),', 'labels: [],', hostileImage],
  [
    'variables are seen',
    "envNames: (Config?.Env ?? []).map((entry) => entry.split('=', 1)[0] ?? ''),",
    'envNames: [],',
    hostileImage,
  ],
];

const tmpfs: readonly Row[] = [
  [
    'not too many volumes',
    'if (volumes.length > LIMITS.image.volumes.max) return',
    'if (false) return',
    { file: UNIT, name: 'are refused beyond 32' },
  ],
  [
    'no volume over /proc, /sys, /dev or the input',
    ' || coversSystemPath(path),',
    ',',
    { file: UNIT, name: 'are refused at %s' },
  ],
  [
    'volumes share a quarter of the memory',
    'memoryBytes / 4 / Math.max(paths.length, 1)',
    'memoryBytes',
    { file: UNIT, name: 'share a quarter of the memory, with a limit each' },
  ],
  ['volumes have a size', ',size=${size}', '', volumes],
];

const seccomp: readonly Row[] = [
  ['no call that is not named', "defaultAction: 'SCMP_ACT_ERRNO'", "defaultAction: 'SCMP_ACT_ALLOW'", calls],
  ['no io_uring', '`access chdir', '`io_uring_setup access chdir', calls],
  [
    'no count of the whole host',
    '...SOCKET_FAMILIES.map',
    "allow(['io_setup', 'inotify_init1', 'mq_open']),\n  ...SOCKET_FAMILIES.map",
    calls,
  ],
  [
    'no namespaces of its own',
    "allowWhere('clone', masked(0, NEW_NAMESPACES, 0)),",
    "allow(['clone', 'unshare']),",
    calls,
  ],
  [
    'no huge pages of files',
    "...unlessHuge('memfd_create', 1, MFD_HUGETLB),",
    "allow(['memfd_create']),",
    calls,
  ],
  [
    'no filters by prctl',
    "...PRCTL_OPTIONS.map(([mask, value]) => allowWhere('prctl', masked(0, mask, value))),",
    "allow(['prctl']),",
    calls,
  ],
  [
    'no call whose flags no filter sees',
    "{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },",
    "allow(['clone3']),",
    calls,
  ],
  [
    'no families of sockets but the usual',
    'SOCKET_FAMILIES = [1, 2, 10, 16]',
    'SOCKET_FAMILIES = [1, 2, 10, 16, 17, 38, 40]',
    calls,
  ],
  [
    'no room of the disk without writing',
    "{ names: ['fallocate'], action: 'SCMP_ACT_ERRNO', errnoRet: EOPNOTSUPP },",
    "allow(['fallocate']),",
    profile,
  ],
];

const pulls: readonly Row[] = [
  [
    'not too many layers',
    'refuseManyLayers(request.ref, progress.layers);',
    '',
    {
      file: 'test/docker/runtime/images.test.ts',
      name: 'of thousands of layers are left after some hundreds, and others can be pulled',
    },
  ],
];

const images: readonly Row[] = [
  [
    'images go by their digest',
    'id: digest ?? config.id',
    'id: config.id',
    { file: 'test/docker/runtime/images.test.ts', name: 'are pulled, found and named by their digest' },
  ],
];

const mutations = (file: string, rows: readonly Row[]): readonly Mutation[] =>
  rows.map(([protection, text, becomes, test]) => ({ protection, file, text, becomes, test }));

/** What a container is made of. */
export const CONTAINER: readonly Mutation[] = [
  ...mutations(SPEC, spec),
  ...mutations(ENV, env),
  ...mutations(IMAGE, image),
  ...mutations(VOLUMES, tmpfs),
  ...mutations(SECCOMP, seccomp),
  ...mutations(IMAGES, images),
  ...mutations(PULL, pulls),
];
