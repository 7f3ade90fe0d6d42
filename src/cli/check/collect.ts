import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { HttpBroker } from '../../broker/client.ts';
import { Transport } from '../../broker/transport.ts';
import { dockerConfigDirectory, dockerEndpoint, gvisorOf, openDocker } from '../../compose-docker.ts';
import { openProbe } from '../../compose-gpu.ts';
import type { Config, Loaded } from '../../config/config.ts';
import { TokenSource, tokenOrigin } from '../../config/token.ts';
import type { CatalogueGpu, GpuReading } from '../../domain/gpu.ts';
import type { GvisorFacts } from '../../domain/gvisor.ts';
import type { Platform } from '../../domain/platform.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import { toolkitVersion } from '../../gpu/toolkit-version.ts';
import { type FileSystem, fileSystems } from '../../host/disk-space.ts';
import { type HostFacts, hostFacts } from '../../host/host-facts.ts';
import { JournalctlLog } from '../../host/kernel-log.ts';
import { readPlatform } from '../../host/platform.ts';
import {
  connectionOptions,
  type PreparedConnection,
  prepareConnection,
} from '../../http-client/connection.ts';
import { countOpenJobs } from '../../journal/open-journal.ts';
import { CHECK_AGENT_ID } from '../../runtime/docker/container/spec.ts';
import type { EngineEndpoint } from '../../runtime/docker/engine/endpoint.ts';
import type { EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type EngineNeeds, unmetRequirement } from '../../runtime/docker/engine/requirements.ts';
import { type CredentialsInspection, inspectCredentials } from '../../runtime/docker/registry/inspection.ts';
import { inspectStateDir, type StateDirInspection } from '../../state-dir/inspection.ts';
import { askHealth, type Health } from '../ask-health.ts';
import type { CliContext } from '../command.ts';
import { gpuLimits } from '../gpu-limits.ts';
import { type QueryLimits, type QueryResult, query, valueOf } from '../query.ts';
import { inspectElectricity } from './check-electricity.ts';
import { inspectTrafficLog, type TrafficLogInspection } from './check-traffic-log.ts';
import { inspectNetwork, type NetworkInspection } from './inspect-network.ts';
import { inspectPage, type PageInspection } from './inspect-page.ts';
import { inspectPresence, type PresenceInspection } from './inspect-presence.ts';
import { type ContainerTests, testContainers } from './test-containers.ts';

/** Everything that the checks evaluate. */
export type Facts = {
  readonly nodeVersion: string;
  readonly stateDir: QueryResult<StateDirInspection>;
  /** The agent that runs on the state directory; undefined: it could not be asked. */
  readonly agent: Health | undefined;
  readonly token: QueryResult<Token>;
  readonly engine: QueryResult<EngineFacts>;
  /** Where the engine is; undefined if that cannot be found out, which `engine` then says. */
  readonly endpoint: EngineEndpoint | undefined;
  /** What gVisor can do for GPUs; undefined if jobs do not run in it. */
  readonly gvisor: GvisorFacts | undefined;
  /** Whether the hook of Nvidia's container toolkit is installed on this machine. */
  readonly gpuHook: boolean;
  readonly network: QueryResult<NetworkInspection>;
  /** The credentials for private registries. */
  readonly registries: QueryResult<CredentialsInspection>;
  /** Undefined: the owner wants none. */
  readonly trafficLog: TrafficLogInspection | undefined;
  /** Undefined: the page is turned off. */
  readonly page: PageInspection | undefined;
  /** Undefined where the engine did not answer or cannot run jobs. */
  readonly containers: ContainerTests | undefined;
  /** The version of Nvidia's container toolkit; undefined if it could not be read. */
  readonly toolkit: string | undefined;
  readonly gpus: QueryResult<GpuReading>;
  /** Undefined: no GPU yields to its owner. */
  readonly presence: PresenceInspection | undefined;
  /** The prices of electricity that are published now; undefined: none are configured. */
  readonly electricity: Awaited<ReturnType<typeof inspectElectricity>>;
  /** Whether the kernel's log, which has the GPUs' Xids, can be read. */
  readonly kernelLog: QueryResult<void>;
  /** The way to the broker. */
  readonly connection: QueryResult<PreparedConnection>;
  readonly catalogue: QueryResult<readonly CatalogueGpu[]>;
  readonly clocks: QueryResult<Clocks>;
  /** The file systems of the state directory and of Docker's data. */
  readonly fileSystems: QueryResult<readonly FileSystem[]>;
  readonly host: HostFacts;
  readonly platform: Platform;
};

/** The token, and where it was found, for people. */
export type Token = { readonly secret: string; readonly from: string };

/** The broker's clock and ours, in milliseconds; undefined if the broker sends no time. */
export type Clocks = Awaited<ReturnType<Broker['clock']>>;

const HOST_MS = 5_000;
/** How long the running agent has to answer. */
const AGENT_MS = 3_000;
/** How many calls to the engine its facts take. */
const FACTS_CALLS = 2;
const BROKER_LIMITS = { connectMs: 8_000, headersMs: 8_000, bodyIdleMs: 8_000, callMs: 9_000 };
/** Sent where there is no token: the broker's 401 shows that it is up. */
const NO_TOKEN = 'none';
const MOUNT = 'check whether it is on a network mount that does not answer';

const DEADLINES = {
  token: { ms: 3_000, code: 'TOKEN_MISSING', who: 'the token’s file system', hint: MOUNT },
  stateDir: { ms: 5_000, code: 'STATE_DIR_UNUSABLE', who: 'the state directory', hint: MOUNT },
  fileSystems: { ms: 4_000, code: 'STATE_DIR_UNUSABLE', who: 'a file system', hint: MOUNT },
  engine: {
    ms: 25_000,
    code: 'RUNTIME_UNAVAILABLE',
    who: 'Docker',
    hint: 'see its log (journalctl -u docker), then restart it: sudo systemctl restart docker',
  },
  kernelLog: {
    ms: 5_000,
    code: 'KERNEL_LOG_UNREADABLE',
    who: 'journalctl',
    hint: 'run it by hand: journalctl -k -n 1',
  },
  connection: {
    ms: 5_000,
    code: 'CONFIG_INVALID',
    who: 'the certificate store',
    hint: MOUNT,
  },
  registries: { ms: 3_000, code: 'REGISTRY_CREDENTIALS_UNUSABLE', who: 'Docker’s config.json', hint: MOUNT },
  network: {
    ms: 61_000,
    code: 'NETWORK_NOT_READY',
    who: 'the probe of the job network',
    hint: 'run sudo sharedcloud-agent network status',
  },
  broker: {
    ms: 10_000,
    code: 'BROKER_UNREACHABLE',
    who: 'the broker',
    hint: 'check --broker-url and this host’s internet connection',
  },
} as const satisfies Readonly<Record<string, QueryLimits>>;

/** Collects everything side by side, each with its own deadline, and leaves nothing behind. Never throws. */
export async function collect(context: CliContext, loaded: Loaded): Promise<Facts> {
  const { config } = loaded;
  const token = query(DEADLINES.token, () => readToken(context, loaded));
  const engine = query(DEADLINES.engine, async (signal) => engineOf(context, loaded).facts(signal));
  const endpoint = await query(DEADLINES.engine, async () => dockerEndpoint(loaded));
  const gvisor = engine.then(async (seen) => {
    const known = valueOf(seen);
    if (known === undefined) return undefined;
    return valueOf(await query(DEADLINES.engine, (signal) => gvisorOf(loaded, known, signal)));
  });
  const disks = engine.then((seen) => {
    // The data directory of a remote engine is not on this machine.
    const local = valueOf(endpoint)?.host.startsWith('unix:') ? valueOf(seen)?.dataRoot : undefined;
    return query(DEADLINES.fileSystems, () =>
      fileSystems([config.stateDir, ...(local === undefined ? [] : [local])]),
    );
  });
  const gpus = query(gpuLimits(config.nvidiaSmiTimeout), (signal) => openProbe(config).read(signal));
  const kernelLog = query(DEADLINES.kernelLog, (signal) => new JournalctlLog().check(signal));
  const stateDir = query(DEADLINES.stateDir, () => inspectStateDir(config.stateDir, countOpenJobs));
  const agent = query(DEADLINES.stateDir, () => askHealth(config.stateDir, AGENT_MS));
  const registries = query(DEADLINES.registries, () =>
    inspectCredentials(dockerConfigDirectory(config), context.path),
  );
  const toolkit = toolkitVersion();
  const electricity = inspectElectricity(config);
  const host = hostFacts(HOST_MS);
  const { clock } = context;
  const log = context.createLog(config);
  const network = query(DEADLINES.network, (signal) => inspectNetwork({ loaded, clock, log }, signal));
  const found = gpus.then((seen) => valueOf(seen)?.gpus ?? []);
  const containers = engine.then((seen) => {
    if ('error' in seen || unmetRequirement(seen.value, engineNeeds(config)) !== undefined) return undefined;
    return testContainers({ loaded, clock, log, callMs: seen.ms / FACTS_CALLS }, found);
  });
  return {
    nodeVersion: process.versions.node,
    gpuHook: hasHook(context.path),
    toolkit: await toolkit,
    ...(await queryBroker(config, valueOf(await token)?.secret ?? NO_TOKEN)),
    token: await token,
    engine: await engine,
    endpoint: valueOf(endpoint),
    gvisor: await gvisor,
    network: await network,
    registries: await registries,
    trafficLog: await inspectTrafficLog(config, context.path),
    page: await inspectPage(config, context),
    containers: await containers,
    fileSystems: await disks,
    gpus: await gpus,
    presence: await found.then((known) => inspectPresence(config, known, { ...context, now: clock.now() })),
    electricity: await electricity,
    kernelLog: await kernelLog,
    stateDir: await stateDir,
    agent: valueOf(await agent),
    host: await host,
    platform: readPlatform(),
  };
}

/** What the configuration asks of an engine. */
export function engineNeeds({ acceptRisk, gpuMode, jobRuntime }: Config): EngineNeeds {
  return { acceptNoSeccomp: acceptRisk.includes('no-seccomp'), gpuMode, runtime: jobRuntime };
}

async function readToken({ redactor, uid }: CliContext, loaded: Loaded): Promise<Token> {
  const origin = tokenOrigin(loaded);
  const secret = await new TokenSource(origin, uid, (token) => redactor.add(token)).current();
  const from = { variable: 'environment variable', file: 'file', credential: 'systemd credential' }[
    origin.kind
  ];
  return { secret, from: `${from} ${origin.kind === 'variable' ? origin.name : origin.path}` };
}

function engineOf({ clock }: CliContext, loaded: Loaded): ReturnType<typeof openDocker> {
  return openDocker({ loaded, clock }, CHECK_AGENT_ID, () => undefined);
}

async function queryBroker(
  config: Config,
  token: string,
): Promise<Pick<Facts, 'catalogue' | 'clocks' | 'connection'>> {
  const connection = await query(DEADLINES.connection, async () =>
    prepareConnection(config.brokerUrl, config),
  );
  if ('error' in connection) return { connection, catalogue: connection, clocks: connection };
  const source = { current: () => Promise.resolve(token) };
  const options = connectionOptions(connection.value);
  const transport = new Transport(config.brokerUrl, source, BROKER_LIMITS, options);
  const broker = new HttpBroker(transport);
  try {
    const [catalogue, clocks] = await Promise.all([
      query(DEADLINES.broker, async (signal) => (await broker.gpus(signal)).items),
      query(DEADLINES.broker, (signal) => broker.clock(signal)),
    ]);
    return { connection, catalogue, clocks };
  } finally {
    await transport.close();
  }
}

/** Docker searches its own PATH; if the hook is on ours or in its usual place, Docker most likely finds it. */
function hasHook(path: string): boolean {
  return [...path.split(':').filter(Boolean), '/usr/bin'].some((directory) => {
    try {
      accessSync(join(directory, 'nvidia-container-runtime-hook'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
