import { AgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';
import type { JobNetwork } from '../../../domain/jobs-network.ts';
import type { ContainerPlan } from '../../../domain/ports/runtime.ts';
import { type ImageConfig, tmpfsForVolumes } from '../image/config.ts';
import { NETWORK_NAME } from '../network/network-spec.ts';
import { containerEnv } from './env.ts';
import { type DeviceRequest, type GpuInjection, gpuAccess } from './gpu-injection.ts';
import { SECCOMP_PROFILE } from './seccomp.ts';

/** The network by its name at the engine; `bridge` is Docker's own, which reaches whatever this host reaches. */
type NetworkMode = 'none' | 'bridge' | typeof NETWORK_NAME;

/** What the owner lets one job use. */
export type DockerLimits = {
  readonly memoryBytes: number;
  /** Billionths of a CPU. */
  readonly nanoCpus: number;
  readonly pidsLimit: number;
  readonly diskBytes: number;
  /** Open files per process. Not above the hard limit of dockerd itself, or no container starts on some hosts. */
  readonly openFiles: number;
  /** `uid:gid` in numbers; `65534:65534` (nobody) unless the owner says otherwise. */
  readonly user: string;
  /** What starts the container, by its name at the engine: `runc`, `runsc`. */
  readonly runtime: string;
  /** Resolvers for jobs with a network; given, because the engine asks loopback resolvers past every rule. */
  readonly dns: readonly string[];
};

/** What a container is made from beside the plan. */
export type SpecInput = {
  readonly agentId: string;
  readonly limits: DockerLimits;
  readonly chooseGpuInjection: GpuInjection;
  readonly image: ImageConfig;
  /** Whether the storage driver can hold a container to `diskBytes`. */
  readonly diskQuota: boolean;
  /** Whether the engine filters system calls; one that does not cannot take a profile either. */
  readonly seccomp: boolean;
};

/** The labels by which an agent finds its containers. */
export const LABELS = {
  agent: 'sharedcloud.agent',
  job: 'sharedcloud.job',
  run: 'sharedcloud.run',
  offer: 'sharedcloud.offer',
} as const;

/** A container's name; made of the job's uuid, so that the engine refuses a second one for the same job. */
export function containerName(job: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(job)) {
    throw new AgentError('RUNTIME_FAILED', `the job id ${JSON.stringify(job)} cannot name a container`);
  }
  return `sharedcloud-job-${job}`;
}

/**
 * Everything that is ever said to the engine about a job's container, in the engine's field names.
 * There is no field here for what a job must not have; `container-check.ts` sees that none was set anyway.
 */
export type ContainerSpec = {
  readonly name: string;
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Env: readonly string[];
  readonly User: string;
  readonly StopSignal: 'SIGTERM';
  readonly Healthcheck: { readonly Test: readonly ['NONE'] };
  readonly HostConfig: {
    readonly Runtime: string;
    readonly DeviceRequests: readonly DeviceRequest[];
    readonly CapDrop: readonly ['ALL'];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number;
    readonly OomScoreAdj: number;
    readonly ShmSize: number;
    readonly Ulimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
    readonly Mounts: readonly [
      {
        readonly Type: 'bind';
        readonly Source: string;
        readonly Target: typeof JOB_INPUT_PATH;
        readonly ReadOnly: true;
        readonly BindOptions: { readonly Propagation: 'rprivate' };
      },
    ];
    readonly Tmpfs: Readonly<Record<string, string>>;
    readonly StorageOpt?: { readonly size: string };
    readonly LogConfig: { readonly Type: 'local'; readonly Config: Readonly<Record<string, string>> };
    readonly NetworkMode: NetworkMode;
    readonly Dns: readonly string[];
    readonly DnsSearch: readonly ['.'];
    readonly Init: true;
    readonly RestartPolicy: { readonly Name: 'no' };
    readonly AutoRemove: false;
    readonly IpcMode: 'private';
    readonly CgroupnsMode: 'private';
  };
};

const GIB = 1024 ** 3;

const NETWORK_MODES: Readonly<Record<JobNetwork, NetworkMode>> = {
  none: 'none',
  isolated: NETWORK_NAME,
  bridge: 'bridge',
};

/** The container for a plan. Pure. Throws where the image or the plan cannot be made into a safe one. */
export function containerSpec(plan: ContainerPlan, input: SpecInput): ContainerSpec {
  const { limits, image } = input;
  const { network = 'none' } = plan;
  const gpu = gpuAccess(plan.gpu, input.chooseGpuInjection);
  return {
    name: containerName(plan.job),
    Image: plan.image,
    Labels: {
      // Other programs of this host act on what is written on containers; an image has nothing to tell them.
      ...Object.fromEntries(image.labels.map((name) => [name, ''])),
      [LABELS.agent]: input.agentId,
      [LABELS.job]: plan.job,
      [LABELS.run]: plan.run,
      [LABELS.offer]: plan.offerKey,
    },
    Env: containerEnv(plan.env, image.envNames, gpu.visible),
    User: limits.user,
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      // Always named: where the engine's default is nvidia, the image's own environment would pick GPUs.
      Runtime: gpu.runtime ?? limits.runtime,
      DeviceRequests: gpu.requests,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', ...(input.seccomp ? [`seccomp=${SECCOMP_PROFILE}`] : [])],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: limits.nanoCpus,
      PidsLimit: limits.pidsLimit,
      OomScoreAdj: 500,
      ShmSize: Math.min(GIB, Math.floor(limits.memoryBytes / 4)),
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        // The disk is only looked at now and then; a single file ends here at once.
        { Name: 'fsize', Soft: limits.diskBytes, Hard: limits.diskBytes },
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
      ],
      // A mount rather than a "bind": the engine makes a missing source of a bind, as root.
      Mounts: [
        {
          Type: 'bind',
          Source: plan.inputDir,
          Target: JOB_INPUT_PATH,
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
      ],
      Tmpfs: tmpfsForVolumes(image.volumes, limits.memoryBytes),
      ...(input.diskQuota ? { StorageOpt: { size: String(limits.diskBytes) } } : {}),
      // Uncompressed, because packing costs a core for as long as a job floods, and the bound is the same.
      LogConfig: { Type: 'local', Config: { 'max-size': '20m', 'max-file': '3', compress: 'false' } },
      NetworkMode: NETWORK_MODES[network],
      // Without these a container is told of this host's resolvers and domains.
      Dns: limits.dns,
      DnsSearch: ['.'],
      Init: true,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      IpcMode: 'private',
      CgroupnsMode: 'private',
    },
  };
}
