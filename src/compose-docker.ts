import { homedir } from 'node:os';
import { join } from 'node:path';
import { refuseFullDisk } from './agent/admission/resource-checks.ts';
import type { Config, Loaded } from './config/config.ts';
import type { GvisorFacts } from './domain/gvisor.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { PullProgress } from './domain/ports/runtime.ts';
import { toolkitVersion } from './gpu/toolkit-version.ts';
import { freeBytes } from './host/disk-space.ts';
import { openFilesLimit } from './host/open-files.ts';
import type { Log } from './lib/log.ts';
import type { Redactor } from './lib/redactor.ts';
import { DockerRuntime } from './runtime/docker/docker-runtime.ts';
import { type EngineEndpoint, engineEndpoint } from './runtime/docker/engine/endpoint.ts';
import type { EngineFacts } from './runtime/docker/engine/facts.ts';
import { readGvisor } from './runtime/docker/engine/gvisor.ts';
import type { LineLimits } from './runtime/docker/network/line-rules.ts';
import { RegistryCredentials } from './runtime/docker/registry/credentials.ts';

/* The part of the composition root for Docker. */

/** How long a pull may take in all, and without progress. */
const PULL_TOTAL_MS = 3_600_000;
const PULL_IDLE_MS = 120_000;
/** How old the answer of a registry about a tag may be. */
const IMAGE_REFRESH_MS = 3_600_000;
/** The resolvers of jobs with a network; never the host's own. */
const PUBLIC_RESOLVERS = ['1.1.1.1', '8.8.8.8'];
const PIDS_PER_JOB = 4096;
const OPEN_FILES_PER_JOB = 65_536;

/** What Docker is opened with. */
type DockerParts = {
  readonly loaded: Loaded;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly clock: Clock;
};

/** What jobs may do on the owner's line. */
export function lineLimits({ jobBandwidth, jobBlockPorts }: Config): LineLimits {
  return { bandwidth: jobBandwidth, blockedPorts: jobBlockPorts };
}

/** The directory of Docker's `config.json`; undefined: this user has no home. */
export function dockerConfigDirectory({ dockerConfig }: Pick<Config, 'dockerConfig'>): string | undefined {
  if (dockerConfig !== undefined) return dockerConfig;
  try {
    return join(homedir(), '.docker');
  } catch {
    // A user that is in no list of users, as in a container.
    return undefined;
  }
}

/** The credentials for registries. What cannot be used is logged. */
function openCredentials({ loaded, log, redactor }: Pick<DockerParts, 'loaded' | 'log' | 'redactor'>) {
  const directory = dockerConfigDirectory(loaded.config);
  if (directory === undefined) return undefined;
  return new RegistryCredentials({
    directory,
    onSecret: (secret, registry) => redactor.add(secret, registry),
    onProblem: ({ code, hint, message }) =>
      log.warn({ event: 'registry-credentials-unusable', code, hint }, message),
  });
}

/** Where the engine is, by the configuration or a Docker context. Reads certificates. Throws CONFIG_INVALID. */
export function dockerEndpoint({ config, sources }: Loaded): EngineEndpoint {
  return engineEndpoint({
    host: { value: config.dockerHost, source: sources.dockerHost },
    context: { value: config.dockerContext, source: sources.dockerContext },
    configDirectory: dockerConfigDirectory(config),
    tlsVerify: config.dockerTlsVerify,
    certPath: config.dockerCertPath,
  });
}

/** Docker as the configuration names it. Without a log and a redactor it pulls without credentials. */
export function openDocker(
  parts: Pick<DockerParts, 'loaded' | 'clock'> & Partial<DockerParts>,
  agentId: string,
  onProgress: (progress: PullProgress) => void,
  makeRoom: (pendingBytes: number) => Promise<void> = () => Promise.resolve(),
): DockerRuntime {
  const { loaded, log, redactor } = parts;
  const { config } = loaded;
  const checkDisk = async (pendingBytes: number): Promise<void> => {
    await makeRoom(pendingBytes);
    refuseFullDisk(config.stateDir, runtime.storagePath, config.minFreeDisk, pendingBytes, freeBytes);
  };
  const runtime = new DockerRuntime({
    ...dockerEndpoint(parts.loaded),
    agentId,
    limits: {
      pidsLimit: PIDS_PER_JOB,
      openFiles: Math.min(OPEN_FILES_PER_JOB, openFilesLimit() ?? OPEN_FILES_PER_JOB),
      diskBytes: config.jobDisk,
      user: config.jobUser,
      runtime: config.jobRuntime,
      dns: PUBLIC_RESOLVERS,
    },
    gpuMode: config.gpuMode,
    acceptNoSeccomp: config.acceptRisk.includes('no-seccomp'),
    images: {
      allowed: config.images,
      maxBytes: config.maxImageSize,
      totalMs: PULL_TOTAL_MS,
      idleMs: PULL_IDLE_MS,
      refreshMs: IMAGE_REFRESH_MS,
    },
    hooks: { onProgress, checkDisk },
    clock: parts.clock,
    credentials:
      log === undefined || redactor === undefined ? undefined : openCredentials({ loaded, log, redactor }),
  });
  return runtime;
}

/** What gVisor can do for GPUs; undefined if jobs do not run in it. */
export async function gvisorOf(
  loaded: Loaded,
  { gvisor }: EngineFacts,
  signal: AbortSignal,
): Promise<GvisorFacts | undefined> {
  if (loaded.config.jobRuntime !== 'runsc' || gvisor === undefined) return undefined;
  // Its paths are the engine's, and only a Unix socket shows that they are this machine's.
  return readGvisor(gvisor, dockerEndpoint(loaded).host.startsWith('unix:'), signal);
}

/** What jobs run in, for people. Throws where the engine does not answer; another runtime than Docker has no versions. */
export async function engineVersions(runtime: object, signal: AbortSignal) {
  if (!(runtime instanceof DockerRuntime))
    return { product: 'Docker', version: undefined, runc: undefined, toolkit: undefined };
  const [{ product, runc, version }, toolkit] = await Promise.all([runtime.facts(signal), toolkitVersion()]);
  return { product, version, runc, toolkit };
}

/** The versions that known vulnerabilities are looked up by. */
export async function hostVersionsOf(docker: DockerRuntime, signal: AbortSignal) {
  const [facts, toolkit] = await Promise.all([docker.facts(signal), toolkitVersion()]);
  const { runc, seccomp, version } = facts;
  return { docker: version, runc, seccomp, 'nvidia-container-toolkit': toolkit };
}
