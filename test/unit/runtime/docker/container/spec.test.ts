import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { imagePlatform } from '../../../../../src/domain/image-platform.ts';
import { containerDifferences } from '../../../../../src/runtime/docker/container/check.ts';
import { gpuAccess } from '../../../../../src/runtime/docker/container/gpu-injection.ts';
import { SECCOMP_PROFILE } from '../../../../../src/runtime/docker/container/seccomp.ts';
import { containerSpec, type SpecInput } from '../../../../../src/runtime/docker/container/spec.ts';
import { tmpfsForVolumes } from '../../../../../src/runtime/docker/container/volumes.ts';
import { anyCharacter } from '../../../../support/any-character.ts';
import { testPlan } from '../../../../support/engine/runtime.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';
const GIB = 1024 ** 3;
const input: SpecInput = {
  agentId: 'agent-1',
  limits: {
    pidsLimit: 4096,
    diskBytes: 20 * GIB,
    openFiles: 65_536,
    user: '65534:65534',
    runtime: 'runc',
    dns: ['192.0.2.1'],
  },
  gpuInjection: 'cdi',
  image: {
    id: 'sha256:1',
    sizeBytes: 1,
    digests: [],
    platform: imagePlatform(),
    envNames: [],
    labels: [],
    ports: 0,
    volumes: [],
  },
  diskQuota: false,
  seccomp: true,
};

describe('the container spec of a plan', () => {
  test('has exactly these fields', () => {
    const plan = testPlan({
      job: 'j-1',
      run: 'r-1',
      offerKey: 'cpu',
      inputDir: '/in',
      env: { CODE: 'x' },
      network: 'isolated',
      resources: { memoryBytes: 8 * GIB, cpus: 2 },
    });
    expect(containerSpec(plan, input)).toEqual({
      name: 'sharedcloud-job-j-1',
      Image: plan.image,
      Labels: {
        'sharedcloud.agent': 'agent-1',
        'sharedcloud.job': 'j-1',
        'sharedcloud.run': 'r-1',
        'sharedcloud.offer': 'cpu',
      },
      Env: [
        'CODE=x',
        'HOME=/tmp',
        'TMPDIR=/tmp',
        'LOGNAME=nobody',
        'USER=nobody',
        'NVIDIA_VISIBLE_DEVICES=void',
        'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
      ],
      User: '65534:65534',
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Runtime: 'runc',
        DeviceRequests: [],
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges', `seccomp=${SECCOMP_PROFILE}`],
        Memory: 8 * GIB,
        MemorySwap: 8 * GIB,
        NanoCpus: 2e9,
        PidsLimit: 4096,
        OomScoreAdj: 500,
        ShmSize: GIB,
        Ulimits: [
          { Name: 'core', Soft: 0, Hard: 0 },
          { Name: 'fsize', Soft: 20 * GIB, Hard: 20 * GIB },
          { Name: 'nofile', Soft: 65_536, Hard: 65_536 },
          { Name: 'nice', Soft: 0, Hard: 0 },
          { Name: 'rtprio', Soft: 0, Hard: 0 },
        ],
        Mounts: [
          {
            Type: 'bind',
            Source: '/in',
            Target: '/sharedcloud',
            ReadOnly: true,
            BindOptions: { Propagation: 'rprivate' },
          },
        ],
        Tmpfs: {},
        LogConfig: { Type: 'local', Config: { 'max-size': '20m', 'max-file': '3', compress: 'false' } },
        NetworkMode: 'sharedcloud-jobs',
        Dns: ['192.0.2.1'],
        DnsSearch: ['.'],
        Init: true,
        RestartPolicy: { Name: 'no' },
        AutoRemove: false,
        IpcMode: 'private',
        CgroupnsMode: 'private',
      },
    });
  });

  test('takes only labels, image and variables from the broker', () => {
    const text = fc.string({ maxLength: 50, unit: anyCharacter });
    fc.assert(
      fc.property(text, text, text, fc.dictionary(text, text), (run, offerKey, image, env) => {
        const usual = containerSpec(testPlan({ job: 'j', inputDir: '/in' }), input);
        const made = containerSpec(testPlan({ job: 'j', inputDir: '/in', run, offerKey, image, env }), input);
        expect(made.HostConfig).toEqual(usual.HostConfig);
        expect({ ...made, Image: '', Labels: {}, Env: [] }).toEqual({
          ...usual,
          Image: '',
          Labels: {},
          Env: [],
        });
        expect(made.Env.filter((entry) => /^(?:NVIDIA_|LD_|DOCKER_)/.test(entry))).toEqual([
          'NVIDIA_VISIBLE_DEVICES=void',
          'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
        ]);
      }),
    );
  });

  test('limits the disk through the engine if its storage driver can', () => {
    const spec = containerSpec(testPlan(), { ...input, diskQuota: true });
    expect(spec.HostConfig.StorageOpt).toEqual({ size: String(20 * GIB) });
  });

  test('has shared memory of at most a quarter of its memory', () => {
    const { HostConfig } = containerSpec(testPlan({ resources: { memoryBytes: GIB, cpus: 1 } }), input);
    expect(HostConfig.ShmSize).toBe(GIB / 4);
  });

  test.each([
    ['none', 'none', ['192.0.2.1']],
    ['isolated', 'sharedcloud-jobs', ['192.0.2.1']],
    ['bridge', 'bridge', ['192.0.2.1']],
  ] as const)('uses the network %s with explicit resolvers', (network, mode, dns) => {
    const { HostConfig } = containerSpec(testPlan({ network }), input);
    expect([HostConfig.NetworkMode, HostConfig.Dns]).toEqual([mode, dns]);
  });

  test('removes the image’s variables for loaders, GPU hooks and Docker, and no others', () => {
    const envNames = [
      'PATH',
      'LD_PRELOAD',
      'NVIDIA_VISIBLE_DEVICES',
      'NVIDIA_REQUIRE_CUDA',
      'DOCKER_HOST',
      'HOME',
    ];
    const { Env } = containerSpec(testPlan(), { ...input, image: { ...input.image, envNames } });
    expect(Env.filter((entry) => !entry.includes('='))).toEqual([
      'LD_PRELOAD',
      'NVIDIA_REQUIRE_CUDA',
      'DOCKER_HOST',
    ]);
  });

  test('has a user of its own beside others, unless the owner names one for all', () => {
    const users = (user: string): readonly unknown[] =>
      [undefined, 0, 1, 14, 15].map(
        (neighbour) =>
          containerSpec(testPlan(neighbour === undefined ? {} : { neighbour }), {
            ...input,
            limits: { ...input.limits, user },
          }).User,
      );
    expect(users('separate')).toEqual([
      '65534:65534',
      '65534:65534',
      '65533:65534',
      '65520:65534',
      '65534:65534',
    ]);
    expect(new Set(users('1000:1000'))).toEqual(new Set(['1000:1000']));
  });

  test('says in a label which user of its own it has', () => {
    const label = (user: string): unknown =>
      containerSpec(testPlan({ neighbour: 3 }), { ...input, limits: { ...input.limits, user } }).Labels[
        'sharedcloud.neighbour'
      ];
    expect([label('separate'), label('1000:1000')]).toEqual(['3', undefined]);
  });

  test.each(['', '../../../x', 'a/b', 'a b', '-a', 'x'.repeat(65), 'ä'])(
    'cannot have the job id %j in its name',
    (job) => {
      expect(() => containerSpec(testPlan({ job }), input)).toThrow(
        expect.objectContaining({ code: 'RUNTIME_FAILED' }),
      );
    },
  );
});

describe('access to a GPU', () => {
  test.each([
    ['cdi', 'void', undefined, [{ Driver: 'cdi', DeviceIDs: [`nvidia.com/gpu=${GPU}`] }]],
    [
      'device-requests',
      GPU,
      undefined,
      [{ Driver: 'nvidia', DeviceIDs: [GPU], Capabilities: [['gpu', 'compute', 'utility']] }],
    ],
    ['runtime', GPU, 'nvidia', []],
  ] as const)('is granted by %s', (injection, visible, runtime, requests) => {
    expect(gpuAccess(GPU, injection)).toEqual({ visible, runtime, requests });
    expect(gpuAccess(null, injection)).toEqual({ visible: 'void', runtime: undefined, requests: [] });
  });

  test.each(['all', '0', 'GPU-1,GPU-2', '', 'void', 'GPU-1 ', 'gpu-1'])('is refused for %j', (gpu) => {
    expect(() => gpuAccess(gpu, 'runtime')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

describe('the tmpfs mounts for an image’s volumes', () => {
  test('share a quarter of the memory, with a limit each', () => {
    const options = (bytes: number) => `rw,nosuid,nodev,mode=1777,size=${bytes}`;
    expect(tmpfsForVolumes(['/a', '/b/', '/a//'], GIB)).toEqual({
      '/a': options(GIB / 8),
      '/b': options(GIB / 8),
    });
    expect(tmpfsForVolumes(['/a'], 64 * GIB)).toEqual({ '/a': options(GIB / 4) });
    expect(tmpfsForVolumes(['/sharedcloud'], GIB)).toEqual({});
  });

  test.each([
    '/',
    '/proc',
    '/proc/self',
    '/sys/fs',
    '/dev/shm',
    '/sharedcloud/x',
    'relative',
    '/x/../proc',
    '/x/..',
  ])('are refused at %s', (path) => {
    expect(() => tmpfsForVolumes([path], GIB)).toThrow(expect.objectContaining({ code: 'IMAGE_REFUSED' }));
  });

  test('are refused beyond 32', () => {
    const paths = Array.from({ length: 33 }, (_, index) => `/v${index}`);
    expect(() => tmpfsForVolumes(paths, GIB)).toThrow(expect.objectContaining({ code: 'IMAGE_REFUSED' }));
  });
});

describe('the check of a created container', () => {
  const spec = containerSpec(testPlan({ gpu: GPU }), { ...input, gpuInjection: 'device-requests' });
  const { name: _, HostConfig, ...config } = spec;
  const created = {
    Image: 'sha256:1',
    Config: { ...config, Env: [...config.Env, 'PATH=/bin', 'LD_PRELOAD'], Hostname: 'abc' },
    HostConfig: { ...HostConfig, Binds: null, Privileged: false, MaskedPaths: ['/proc/kcore'], CapAdd: null },
    Mounts: [{ Type: 'bind' }],
  };
  const differences = (changed: object, swapLimit = true): readonly string[] =>
    containerDifferences(spec, { ...created, ...changed }, 'sha256:1', swapLimit);
  const host = (changed: object): object => ({ HostConfig: { ...created.HostConfig, ...changed } });

  test('accepts the requested settings', () => {
    expect(differences({})).toEqual([]);
  });

  test.each([
    ['further ulimits', { Ulimits: [{ Name: 'memlock', Soft: -1, Hard: -1 }, ...HostConfig.Ulimits] }],
    [
      'log options',
      { LogConfig: { ...HostConfig.LogConfig, Config: { ...HostConfig.LogConfig.Config, mode: 'x' } } },
    ],
    ['a storage option', { StorageOpt: { size: '10G' } }],
    ['fields of a newer engine', { Annotations: null, ConsoleSize: [0, 0], Isolation: 'default' }],
  ])('accepts %s of the engine’s own defaults', (_, changed) => {
    expect(differences(host(changed))).toEqual([]);
  });

  test.each(['core', 'fsize', 'nofile', 'nice', 'rtprio'])(
    'refuses another or a second ulimit %s',
    (Name) => {
      const other = { Name, Soft: 99, Hard: 99 };
      const without = HostConfig.Ulimits.filter((ulimit) => ulimit.Name !== Name);
      for (const Ulimits of [without, [...without, other], [...HostConfig.Ulimits, other]])
        expect(differences(host({ Ulimits }))).toEqual([`HostConfig.Ulimits ${Name}`]);
    },
  );

  test('accepts a missing swap limit only from an engine without swap limits', () => {
    expect(differences(host({ MemorySwap: -1 }))).toEqual(['HostConfig.MemorySwap']);
    expect(differences(host({ MemorySwap: -1 }), false)).toEqual([]);
  });

  test.each([
    ['another image', { Image: 'sha256:2' }, 'Image'],
    ['a lost limit', host({ PidsLimit: null }), 'HostConfig.PidsLimit'],
    ['another runtime', host({ Runtime: 'nvidia' }), 'HostConfig.Runtime'],
    [
      'a weaker profile',
      host({ SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }),
      'HostConfig.SecurityOpt',
    ],
    [
      'an additional security option',
      host({ SecurityOpt: [...HostConfig.SecurityOpt, 'apparmor=unconfined'] }),
      'HostConfig.SecurityOpt',
    ],
    ['privileges', host({ Privileged: true }), 'HostConfig.Privileged'],
    ['a device', host({ Devices: [{ PathOnHost: '/dev/sda' }] }), 'HostConfig.Devices'],
    ['a bind', host({ Binds: ['/:/host'] }), 'HostConfig.Binds'],
    ['an unmasked /proc', host({ MaskedPaths: [] }), 'MaskedPaths'],
    ['another GPU', host({ DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ['GPU-2'] }] }), 'DeviceIDs[0]'],
    ['root', { Config: { ...created.Config, User: '' } }, 'Config.User'],
    [
      'a guarded variable',
      { Config: { ...created.Config, Env: [...config.Env, 'LD_PRELOAD=/x'] } },
      'Env LD_PRELOAD',
    ],
    ['a writable /proc', host({ ReadonlyPaths: [] }), 'ReadonlyPaths'],
    ['a lost variable', { Config: { ...created.Config, Env: config.Env.slice(1) } }, 'Env HOME'],
    ['a replaced label', { Config: { ...created.Config, Labels: {} } }, 'Config.Labels'],
    ['a volume', { Mounts: [{ Type: 'volume' }] }, 'Mounts'],
  ])('refuses %s', (_, changed, where) => {
    expect(differences(changed).join(' ')).toContain(where);
  });

  test.each([
    ['Privileged', true],
    ['Binds', ['/:/host']],
    ['CapAdd', ['SYS_ADMIN']],
    ['Devices', [{ PathOnHost: '/dev/sda' }]],
    ['DeviceCgroupRules', ['a *:* rwm']],
    ['PidMode', 'host'],
    ['UTSMode', 'host'],
    ['UsernsMode', 'host'],
    ['VolumesFrom', ['other']],
    ['VolumeDriver', 'plugin'],
    ['ExtraHosts', ['host:172.17.0.1']],
    ['Sysctls', { 'net.ipv4.ip_forward': '1' }],
    ['GroupAdd', ['docker']],
    ['PortBindings', { '80/tcp': [{ HostPort: '80' }] }],
    ['PublishAllPorts', true],
    ['Links', ['other']],
    ['CgroupParent', '/'],
    ['OomKillDisable', true],
  ])('refuses %s', (field, value) => {
    expect(differences(host({ [field]: value }))).toEqual([`HostConfig.${field}`]);
  });

  test('refuses any requested field that is missing', () => {
    const isEmpty = (value: object | string | number | boolean): boolean =>
      value === false || (typeof value === 'object' && Object.keys(value).length === 0);
    const asked = Object.entries(HostConfig).filter(([, value]) => !isEmpty(value));
    const accepted = asked.filter(([field]) => differences(host({ [field]: undefined })).length === 0);
    expect(accepted).toEqual([]);
    expect(asked.length).toBeGreaterThan(15);
  });
});
