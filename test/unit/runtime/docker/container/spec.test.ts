import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containerDifferences } from '../../../../../src/runtime/docker/container/check.ts';
import { gpuAccess } from '../../../../../src/runtime/docker/container/gpu-injection.ts';
import { SECCOMP_PROFILE } from '../../../../../src/runtime/docker/container/seccomp.ts';
import { containerSpec, type SpecInput } from '../../../../../src/runtime/docker/container/spec.ts';
import { tmpfsForVolumes } from '../../../../../src/runtime/docker/image/config.ts';
import { testPlan } from '../../../../support/engine/runtime.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';
const GIB = 1024 ** 3;
const input: SpecInput = {
  agentId: 'agent-1',
  limits: {
    memoryBytes: 8 * GIB,
    nanoCpus: 2e9,
    pidsLimit: 4096,
    diskBytes: 20 * GIB,
    openFiles: 65_536,
    user: '65534:65534',
    runtime: 'runc',
    dns: ['192.0.2.1'],
  },
  chooseGpuInjection: 'cdi',
  image: { id: 'sha256:1', sizeBytes: 1, digests: [], envNames: [], labels: [], volumes: [] },
  diskQuota: false,
  seccomp: true,
};

describe('the container for a plan', () => {
  test('is this, field by field', () => {
    const plan = testPlan({
      job: 'j-1',
      run: 'r-1',
      offerKey: 'cpu',
      inputDir: '/in',
      env: { CODE: 'x' },
      network: 'isolated',
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
        'NVIDIA_VISIBLE_DEVICES=void',
        'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
      ],
      User: '65534:65534',
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

  test('has no field whose content a broker chooses, but for its labels, its image and its own variables', () => {
    const text = fc.string({ maxLength: 50, unit: 'binary' });
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

  test('is limited in disk by the engine where that can', () => {
    const spec = containerSpec(testPlan(), { ...input, diskQuota: true });
    expect(spec.HostConfig.StorageOpt).toEqual({ size: String(20 * GIB) });
  });

  test('has shared memory of a quarter of a small memory', () => {
    const limits = { ...input.limits, memoryBytes: GIB };
    const { HostConfig } = containerSpec(testPlan(), { ...input, limits });
    expect(HostConfig.ShmSize).toBe(GIB / 4);
  });

  test.each([
    ['none', 'none', ['192.0.2.1']],
    ['isolated', 'sharedcloud-jobs', ['192.0.2.1']],
    ['bridge', 'bridge', ['192.0.2.1']],
  ] as const)(
    'is on the network %s where that was decided, with resolvers of its own',
    (network, mode, dns) => {
      const { HostConfig } = containerSpec(testPlan({ network }), input);
      expect([HostConfig.NetworkMode, HostConfig.Dns]).toEqual([mode, dns]);
    },
  );

  test('takes away what its image sets for loaders, GPU hooks and Docker, and nothing else', () => {
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

  test.each(['', '../../../x', 'a/b', 'a b', '-a', 'x'.repeat(65), 'ä'])(
    'cannot be named after job %j',
    (job) => {
      expect(() => containerSpec(testPlan({ job }), input)).toThrow(/cannot name a container/);
    },
  );
});

describe('a GPU', () => {
  test.each([
    ['cdi', 'void', undefined, [{ Driver: 'cdi', DeviceIDs: [`nvidia.com/gpu=${GPU}`] }]],
    [
      'device-requests',
      GPU,
      undefined,
      [{ Driver: 'nvidia', DeviceIDs: [GPU], Capabilities: [['gpu', 'compute', 'utility']] }],
    ],
    ['runtime', GPU, 'nvidia', []],
  ] as const)('is given by %s', (way, visible, runtime, requests) => {
    expect(gpuAccess(GPU, way)).toEqual({ visible, runtime, requests });
    expect(gpuAccess(null, way)).toEqual({ visible: 'void', runtime: undefined, requests: [] });
  });

  test.each(['all', '0', 'GPU-1,GPU-2', '', 'void', 'GPU-1 ', 'gpu-1'])('cannot be %j', (gpu) => {
    expect(() => gpuAccess(gpu, 'runtime')).toThrow(/is not the uuid/);
  });
});

describe('the volumes of an image', () => {
  test('share a quarter of the memory, each with a limit', () => {
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
  ])('cannot be at %s', (path) => {
    expect(() => tmpfsForVolumes([path], GIB)).toThrow(/which no job needs/);
  });

  test('cannot be too many', () => {
    const paths = Array.from({ length: 33 }, (_, index) => `/v${index}`);
    expect(() => tmpfsForVolumes(paths, GIB)).toThrow('33 volumes');
  });
});

describe('what the engine made', () => {
  const spec = containerSpec(testPlan({ gpu: GPU }), { ...input, chooseGpuInjection: 'device-requests' });
  const { name: _, HostConfig, ...config } = spec;
  const made = {
    Image: 'sha256:1',
    Config: { ...config, Env: [...config.Env, 'PATH=/bin', 'LD_PRELOAD'], Hostname: 'abc' },
    HostConfig: { ...HostConfig, Binds: null, Privileged: false, MaskedPaths: ['/proc/kcore'], CapAdd: null },
    Mounts: [{ Type: 'bind' }],
  };
  const differences = (changed: object, swapLimit = true): readonly string[] =>
    containerDifferences(spec, { ...made, ...changed }, 'sha256:1', swapLimit);
  const host = (changed: object): object => ({ HostConfig: { ...made.HostConfig, ...changed } });

  test('is right when it is what was asked', () => {
    expect(differences({})).toEqual([]);
  });

  test('may lack a swap limit only where the engine has none to give', () => {
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
      'one more word on security',
      host({ SecurityOpt: [...HostConfig.SecurityOpt, 'apparmor=unconfined'] }),
      'HostConfig.SecurityOpt',
    ],
    ['privileges', host({ Privileged: true }), 'HostConfig.Privileged'],
    ['a device', host({ Devices: [{ PathOnHost: '/dev/sda' }] }), 'HostConfig.Devices'],
    ['a bind', host({ Binds: ['/:/host'] }), 'HostConfig.Binds'],
    ['an open /proc', host({ MaskedPaths: [] }), 'MaskedPaths'],
    ['another GPU', host({ DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ['GPU-2'] }] }), 'DeviceIDs[0]'],
    ['root', { Config: { ...made.Config, User: '' } }, 'Config.User'],
    [
      'a guarded variable',
      { Config: { ...made.Config, Env: [...config.Env, 'LD_PRELOAD=/x'] } },
      'Env LD_PRELOAD',
    ],
    ['open paths of /proc', host({ ReadonlyPaths: [] }), 'ReadonlyPaths'],
    ['a lost variable', { Config: { ...made.Config, Env: config.Env.slice(1) } }, 'Env HOME'],
    ['a label taken over', { Config: { ...made.Config, Labels: {} } }, 'Config.Labels'],
    ['a volume', { Mounts: [{ Type: 'volume' }] }, 'Mounts'],
  ])('is wrong with %s', (_, changed, where) => {
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
  ])('is wrong where %s is set', (field, value) => {
    expect(differences(host({ [field]: value }))).toEqual([`HostConfig.${field}`]);
  });

  test('is wrong without any one of the fields that were asked for', () => {
    const isEmpty = (value: object | string | number | boolean): boolean =>
      value === false || (typeof value === 'object' && Object.keys(value).length === 0);
    const asked = Object.entries(HostConfig).filter(([, value]) => !isEmpty(value));
    const unseen = asked.filter(([field]) => differences(host({ [field]: undefined })).length === 0);
    expect(unseen).toEqual([]);
    expect(asked.length).toBeGreaterThan(15);
  });
});
