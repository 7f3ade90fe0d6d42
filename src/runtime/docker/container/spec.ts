import { AgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';
import type { JobNetwork } from '../../../domain/jobs-network.ts';
import type { ContainerPlan } from '../../../domain/ports/runtime.ts';
import type { ImageConfig } from '../image/config.ts';
import { NETWORK_NAME } from '../network/network-spec.ts';
import { containerEnv } from './env.ts';
import { type DeviceRequest, type GpuInjection, gpuAccess } from './gpu-injection.ts';
import { SECCOMP_PROFILE } from './seccomp.ts';
import { separateUser } from './separate-user.ts';
import { tmpfsForVolumes } from './volumes.ts';

/** The engine's name of a network. `bridge` is Docker's default, which reaches everything that this host reaches. */
type NetworkMode = 'none' | 'bridge' | typeof NETWORK_NAME;

/** What one job may use beside memory and CPUs, which its plan names. */
export type DockerLimits = {
  readonly pidsLimit: number;
  readonly diskBytes: number;
  /** Open files per process. Above dockerd's own hard limit, containers fail to start on some hosts. */
  readonly openFiles: number;
  /** Numeric `uid:gid`, or `separate`: as of `separateUser`. */
  readonly user: string;
  /** The OCI runtime's name in the engine: `runc` or `runsc`. */
  readonly runtime: string;
  /** DNS resolvers. Always explicit, because the engine queries loopback resolvers from the host's own network. */
  readonly dns: readonly string[];
};

/** What a container spec needs beside the plan. */
export type SpecInput = {
  readonly agentId: string;
  readonly limits: DockerLimits;
  readonly gpuInjection: GpuInjection;
  readonly image: ImageConfig;
  /** Whether the storage driver can enforce `diskBytes`. */
  readonly diskQuota: boolean;
  /** Whether the engine supports seccomp. One without it refuses a profile. */
  readonly seccomp: boolean;
};

/** The labels by which an agent finds its containers. `neighbour` is of those whose user is separate. */
export const LABELS = {
  agent: 'sharedcloud.agent',
  job: 'sharedcloud.job',
  run: 'sharedcloud.run',
  offer: 'sharedcloud.offer',
  neighbour: 'sharedcloud.neighbour',
} as const;

/** The agent id of the containers of `check`, which has no journal. */
export const CHECK_AGENT_ID = 'check';

const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Whether a container can be named after a job of this id. */
export function isJobId(job: string): boolean {
  return JOB_ID.test(job);
}

/**
 * The container's name. It contains the job's uuid, so that the engine refuses a second container for a job. Throws
 * RUNTIME_FAILED for an id that cannot name one.
 */
export function containerName(job: string): string {
  if (!isJobId(job)) {
    throw new AgentError('RUNTIME_FAILED', `the job id ${JSON.stringify(job)} cannot name a container`);
  }
  return `sharedcloud-job-${job}`;
}

/**
 * Everything that the engine is ever asked for in a job's container, in the engine's field names. What a job must not
 * have has no field here; `check.ts` verifies that the engine did not set it either.
 */
export type ContainerSpec = {
  readonly name: string;
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: '/';
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
    readonly Ulimits: readonly Ulimit[];
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

/** A limit of each process (setrlimit), in the limit's own unit. */
export type Ulimit = { readonly Name: string; readonly Soft: number; readonly Hard: number };

const GIB = 1024 ** 3;

const NETWORK_MODES: Readonly<Record<JobNetwork, NetworkMode>> = {
  none: 'none',
  isolated: NETWORK_NAME,
  bridge: 'bridge',
};

/** The container for a plan. Pure. Throws IMAGE_REFUSED for unsafe volumes, RUNTIME_FAILED for an unusable job id. */
export function containerSpec(plan: ContainerPlan, input: SpecInput): ContainerSpec {
  const { limits, image } = input;
  const { network = 'none' } = plan;
  const { resources } = plan;
  const gpu = gpuAccess(plan.gpu, input.gpuInjection);
  return {
    name: containerName(plan.job),
    Image: plan.image,
    Labels: {
      // Other programs on this host act on container labels, so the image's labels are emptied.
      ...Object.fromEntries(image.labels.map((name) => [name, ''])),
      [LABELS.agent]: input.agentId,
      [LABELS.job]: plan.job,
      [LABELS.run]: plan.run,
      [LABELS.offer]: plan.offerKey,
      ...(limits.user === 'separate' ? { [LABELS.neighbour]: String(plan.neighbour ?? 0) } : {}),
    },
    Env: containerEnv(plan.env, image.envNames, gpu.visible),
    User: limits.user === 'separate' ? separateUser(plan.neighbour) : limits.user,
    // The image's may be a file or a link, or lead out of the container (CVE-2024-21626).
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      // Always explicit: if the engine's default runtime is nvidia, the image's environment selects GPUs.
      Runtime: gpu.runtime ?? limits.runtime,
      DeviceRequests: gpu.requests,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', ...(input.seccomp ? [`seccomp=${SECCOMP_PROFILE}`] : [])],
      Memory: resources.memoryBytes,
      MemorySwap: resources.memoryBytes,
      NanoCpus: Math.round(resources.cpus * 1e9),
      PidsLimit: limits.pidsLimit,
      OomScoreAdj: 500,
      ShmSize: Math.min(GIB, Math.floor(resources.memoryBytes / 4)),
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        // Disk use is measured periodically; this limit stops a single large file at once.
        { Name: 'fsize', Soft: limits.diskBytes, Hard: limits.diskBytes },
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        // The kernel's own defaults: an engine's default-ulimits could let a job take precedence over this host.
        { Name: 'nice', Soft: 0, Hard: 0 },
        { Name: 'rtprio', Soft: 0, Hard: 0 },
      ],
      // A mount, not a bind: for a bind, the engine creates a missing source directory as root.
      Mounts: [
        {
          Type: 'bind',
          Source: plan.inputDir,
          Target: JOB_INPUT_PATH,
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
      ],
      Tmpfs: tmpfsForVolumes(image.volumes, resources.memoryBytes),
      ...(input.diskQuota ? { StorageOpt: { size: String(limits.diskBytes) } } : {}),
      // Uncompressed: compression takes a whole core while a job floods its log, and the size limit is the same.
      LogConfig: { Type: 'local', Config: { 'max-size': '20m', 'max-file': '3', compress: 'false' } },
      NetworkMode: NETWORK_MODES[network],
      // Without these, the container gets this host's resolvers and search domains.
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
