import { z } from 'zod';
import type { EngineIdentity } from '../../../domain/engine-identity.ts';
import { AgentError } from '../../../domain/errors.ts';
import { type ImagePlatform, imagePlatform } from '../../../domain/image-platform.ts';

const INFO = z.object({
  ID: z.string().optional(),
  Driver: z.string(),
  DriverStatus: z
    .array(z.array(z.string()))
    .nullish()
    .transform((rows) => rows ?? []),
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((options) => options ?? []),
  Runtimes: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((runtimes) => runtimes ?? {}),
  MemoryLimit: z.boolean().optional(),
  SwapLimit: z.boolean().optional(),
  PidsLimit: z.boolean().optional(),
  CpuCfsQuota: z.boolean().optional(),
  OSType: z.string(),
  OperatingSystem: z.string().optional(),
  Architecture: z.string().optional(),
  DockerRootDir: z.string().optional(),
  LiveRestoreEnabled: z.boolean().optional(),
  HttpProxy: z.string().nullish(),
  HttpsProxy: z.string().nullish(),
  CgroupDriver: z.string().optional(),
  CDISpecDirs: z.array(z.string()).nullish(),
  DiscoveredDevices: z.array(z.object({ ID: z.string() })).nullish(),
});

const VERSION = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Components: z.array(z.object({ Name: z.string(), Version: z.string() })).nullish(),
});

/** The driver type of containerd's image store, the default since Docker 29, and its directory. */
const SNAPSHOTTER = 'io.containerd.snapshotter.v1';
const CONTAINERD_ROOT = '/var/lib/containerd';

/** What the agent needs from the engine's `info` and `version`. */
export type EngineFacts = {
  readonly product: 'Docker' | 'Docker Desktop' | 'Podman';
  /** What tells it from other engines. */
  readonly identity: Pick<EngineIdentity, 'id' | 'dataRoot'>;
  /** Such as `20.10.24`, without a distribution's suffix. */
  readonly version: string;
  readonly apiVersion: string;
  readonly runc: string | undefined;
  readonly os: string;
  /** The platform of the images that it runs without emulation. */
  readonly platform: ImagePlatform;
  readonly storageDriver: string;
  /** The file system below overlay2, such as `extfs` or `xfs`. */
  readonly backingFileSystem: string | undefined;
  /** The engine's directory of images and containers, on its own machine. */
  readonly dataRoot: string | undefined;
  readonly runtimes: readonly string[];
  /** The runtime `runsc`; undefined: the engine has none. */
  readonly gvisor: OciRuntime | undefined;
  /** Whether the engine applies seccomp profiles. */
  readonly seccomp: boolean;
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly pids: boolean;
    readonly cpu: boolean;
  };
  /** Whether the engine runs without root, in a user namespace. */
  readonly rootless: boolean;
  /** Whether containers keep running while the engine restarts. */
  readonly liveRestore: boolean;
  /** Whether the engine pulls images through a proxy. */
  readonly hasProxy: boolean;
  /** What makes the containers' cgroups: `systemd` or `cgroupfs`; undefined: not known. */
  readonly cgroupDriver: string | undefined;
  readonly cdi: CdiFacts;
};

/** An OCI runtime as the engine starts it. */
export type OciRuntime = {
  /** Its program, on the engine's machine; undefined: only its shim is known. */
  readonly path: string | undefined;
  readonly args: readonly string[];
  /** The configuration file of its shim. */
  readonly configPath: string | undefined;
};

const RUNTIME = z.object({
  path: z.string().optional(),
  runtimeArgs: z.array(z.string()).nullish(),
  options: z.object({ ConfigPath: z.string().optional() }).nullish(),
});

/** What the engine knows of CDI (Container Device Interface). */
export type CdiFacts = {
  /** Whether the engine reads CDI specs. Docker before 25 does not, and later ones only if CDI is enabled. */
  readonly enabled: boolean;
  /** The names of Nvidia's devices in its specs, such as `nvidia.com/gpu=all`; undefined: it cannot list them. */
  readonly devices: readonly string[] | undefined;
};

/** Docker 28.2 (API 1.50) and newer list CDI devices. They omit an empty list. */
const LISTS_CDI = [1, 50] as const;

/** Reads the engine's answers. Throws RUNTIME_UNAVAILABLE if they are not from a Docker engine. */
export function readFacts(infoAnswer: unknown, versionAnswer: unknown): EngineFacts {
  const info = INFO.safeParse(infoAnswer);
  const version = VERSION.safeParse(versionAnswer);
  if (!info.success || !version.success) {
    // Its older versions answer `info` in another form.
    if (version.success && isPodman(version.data)) throw podmanError(version.data.Version);
    throw notDocker(info.error ?? version.error);
  }
  const backing = info.data.DriverStatus.find(([name]) => name === 'Backing Filesystem');
  const runc = version.data.Components?.find(({ Name }) => Name === 'runc');
  return {
    product: isPodman(version.data)
      ? 'Podman'
      : info.data.OperatingSystem === 'Docker Desktop'
        ? 'Docker Desktop'
        : 'Docker',
    identity: { id: info.data.ID === '' ? undefined : info.data.ID, dataRoot: info.data.DockerRootDir },
    version: upstream(version.data.Version),
    apiVersion: version.data.ApiVersion,
    runc: runc === undefined ? undefined : upstream(runc.Version),
    os: info.data.OSType,
    platform: imagePlatform(info.data.OSType, info.data.Architecture),
    storageDriver: info.data.Driver,
    backingFileSystem: backing?.[1],
    dataRoot: info.data.DriverStatus.some(([, value]) => value === SNAPSHOTTER)
      ? CONTAINERD_ROOT
      : info.data.DockerRootDir,
    runtimes: Object.keys(info.data.Runtimes),
    gvisor: readRuntime(info.data.Runtimes['runsc']),
    seccomp: info.data.SecurityOptions.some(
      (option) => /(^|,)(name=)?seccomp(,|$)/.test(option) && !option.includes('profile=unconfined'),
    ),
    limits: {
      memory: info.data.MemoryLimit === true,
      swap: info.data.SwapLimit === true,
      pids: info.data.PidsLimit === true,
      cpu: info.data.CpuCfsQuota === true,
    },
    rootless: info.data.SecurityOptions.some((option) => /(^|,)(name=)?rootless(,|$)/.test(option)),
    liveRestore: info.data.LiveRestoreEnabled === true,
    hasProxy: [info.data.HttpProxy, info.data.HttpsProxy].some(Boolean),
    cgroupDriver: info.data.CgroupDriver,
    cdi: {
      enabled: (info.data.CDISpecDirs ?? []).length > 0,
      devices: atLeast(version.data.ApiVersion, LISTS_CDI)
        ? (info.data.DiscoveredDevices ?? []).map(({ ID }) => ID).filter((id) => id.startsWith(NVIDIA_GPU))
        : undefined,
    },
  };
}

/** The prefix of the CDI names of Nvidia's GPUs and MIG slices. */
export const NVIDIA_GPU = 'nvidia.com/gpu=';

/** undefined for a runtime that is not there, or is described in an unknown form. */
function readRuntime(described: unknown): OciRuntime | undefined {
  if (described === undefined) return undefined;
  const { data } = RUNTIME.safeParse(described);
  return { path: data?.path, args: data?.runtimeArgs ?? [], configPath: data?.options?.ConfigPath };
}

/** RUNTIME_UNAVAILABLE for a server that is no engine. */
export function notDocker(cause: unknown): AgentError {
  return new AgentError('RUNTIME_UNAVAILABLE', 'the server at --docker-host is not a Docker engine', {
    hint: 'set --docker-host to the socket or address of Docker itself',
    cause,
  });
}

function isPodman({ Components }: z.infer<typeof VERSION>): boolean {
  return Components?.some(({ Name }) => Name === 'Podman Engine') ?? false;
}

function podmanError(version: string): AgentError {
  return new AgentError(
    'RUNTIME_UNAVAILABLE',
    `the engine at --docker-host is Podman ${upstream(version)}, not Docker`,
    {
      hint: USE_DOCKER,
    },
  );
}

/** For the owner of another engine. */
export const USE_DOCKER =
  'install Docker 20.10 or newer beside it, and set --docker-host to Docker’s socket (unix:///var/run/docker.sock)';

/** Whether an API version such as `1.41` is that version or newer. */
export function atLeast(apiVersion: string, [major, minor]: readonly [number, number]): boolean {
  const [gotMajor = 0, gotMinor = 0] = apiVersion.split('.').map(Number);
  return gotMajor > major || (gotMajor === major && gotMinor >= minor);
}

function upstream(version: string): string {
  return /^\d+(?:\.\d+)*/.exec(version)?.[0] ?? version;
}

/** One line for people, such as `Docker 20.10.24, runc 1.1.5, overlay2`. */
export function describeFacts(facts: EngineFacts): string {
  const parts = [
    `${facts.product} ${facts.version}`,
    `runc ${facts.runc ?? 'of unknown version'}`,
    facts.storageDriver,
  ];
  if (facts.rootless) parts.push('rootless');
  if (!facts.limits.swap) parts.push('swap cannot be limited');
  return parts.join(', ');
}
