import { hostname } from 'node:os';
import { join } from 'node:path';
import { resourceChecks } from './agent/admission/resource-checks.ts';
import type { Agent } from './agent/agent.ts';
import { eventLog } from './agent/events/event-log.ts';
import type { Observer } from './agent/events/events.ts';
import { RecentEvents } from './agent/events/recent-events.ts';
import { ImageRoom } from './agent/images/image-room.ts';
import { PullMonitor } from './agent/images/pull-monitor.ts';
import { VulnerabilityGate } from './agent/offers/vulnerability-gate.ts';
import type { AgentSettings } from './agent/settings.ts';
import { buildAgent } from './compose-agent.ts';
import { openBroker } from './compose-broker.ts';
import {
  dockerEndpoint,
  engineVersions,
  gvisorOf,
  hostVersionsOf,
  lineLimits,
  openDocker,
} from './compose-docker.ts';
import { openElectricity } from './compose-electricity.ts';
import { openKernelLog, openPresence, openProbe, openSampler, openSmi } from './compose-gpu.ts';
import { imageDiskRules } from './compose-images.ts';
import { marketSight, openMarketHistory } from './compose-market-history.ts';
import { openNotifications } from './compose-notifications.ts';
import { openPage } from './compose-page.ts';
import { askSettings } from './config/ask-options.ts';
import type { Config, Loaded } from './config/config.ts';
import { gpuSettings, maxTemperatureOf } from './config/gpu-settings.ts';
import { reloaded } from './config/reload.ts';
import { readPast } from './control/market-past.ts';
import { routesOf } from './control/routes.ts';
import { serveControl } from './control-api/serve.ts';
import { socketsOf } from './control-api/sockets.ts';
import { type GvisorFacts, unmetByGvisor } from './domain/gvisor.ts';
import { type OfferSettings, planOffers } from './domain/plan-offers.ts';
import type { Broker } from './domain/ports/broker.ts';
import type { HostClock } from './domain/ports/clock.ts';
import type { GpuProbe } from './domain/ports/gpu.ts';
import type { GpuSampler } from './domain/ports/gpu-samples.ts';
import type { JobFiles } from './domain/ports/job-files.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { JobResources, PullProgress, Runtime } from './domain/ports/runtime.ts';
import { Schedule } from './domain/schedule/availability.ts';
import { Zone } from './domain/schedule/zone.ts';
import type { Phase } from './domain/signals.ts';
import { JobFolders } from './function/job-files.ts';
import { hostAddresses } from './host/addresses.ts';
import { noneRuns } from './host/container-processes.ts';
import { diskSpace, freeBytes } from './host/disk-space.ts';
import { watchHalts } from './host/halts.ts';
import { type HostSize, hostShare } from './host/job-share.ts';
import { machineId } from './host/machine-id.ts';
import { readHostMemory } from './host/memory.ts';
import { HostMemoryMonitor } from './host/memory-monitor.ts';
import { systemdReloadedAt } from './host/systemd-reloads.ts';
import { hostTimeZone } from './host/time-zone.ts';
import { logMove } from './journal/broker-move.ts';
import { logCopied } from './journal/home.ts';
import { openJournal } from './journal/open-journal.ts';
import { pruneRegularly } from './journal/prune.ts';
import { cachedFor } from './lib/cached.ts';
import type { Log } from './lib/log.ts';
import type { Redactor } from './lib/redactor.ts';
import { BrokerMetrics } from './metrics/broker-metrics.ts';
import { EventMetrics } from './metrics/event-metrics.ts';
import { Metrics } from './metrics/metrics.ts';
import { DockerRuntime } from './runtime/docker/docker-runtime.ts';
import { openIsolatedNetwork } from './runtime/docker/network/isolated-network.ts';
import { openStateDir } from './state-dir/state-dir.ts';

/*
 * The composition root: opens the adapters that the configuration names, those of Docker in compose-docker.ts, of GPUs in
 * compose-gpu.ts, and the status page in compose-page.ts; compose-agent.ts builds the agent on them.
 */

/** A container that survives SIGKILL this long hangs in the kernel, most likely in the GPU driver. */
const UNKILLABLE_AFTER_MS = 300_000;
/** GPUs are polled after every job; engine and toolkit change more rarely. */
const HOST_VERSIONS_TTL_MS = 30_000;
/** What a command has for the adapters. */
export type AppParts = {
  readonly loaded: Loaded;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly clock: HostClock;
  /** The user of this process. */
  readonly uid: number;
};

/** The owner's settings for planning offers. */
export function offerSettings(config: Config): OfferSettings {
  return {
    cpuSlots: config.cpuSlots,
    askPrice: config.askPrice,
    gpu: (model) => {
      const own = gpuSettings(config.gpus, model);
      return {
        askPrice: own?.askPrice ?? config.askPrice,
        catalogue: own?.catalogue,
        slots: own?.slots ?? config.slotsPerGpu,
      };
    },
  };
}

/** The owner's schedule, and where its time zone comes from; `assumed`: UTC, since the host's is not known. */
export type OwnerSchedule = {
  readonly schedule: Schedule;
  readonly zoneFrom: 'configured' | 'host' | 'assumed';
};

export function scheduleOf({
  availability,
  timeZone,
}: Pick<Config, 'availability' | 'timeZone'>): OwnerSchedule {
  if (timeZone !== undefined)
    return { schedule: new Schedule(availability, new Zone(timeZone)), zoneFrom: 'configured' };
  const zone = hostTimeZone();
  const zoneFrom = zone === undefined ? 'assumed' : 'host';
  return { schedule: new Schedule(availability, zone ?? new Zone('UTC')), zoneFrom };
}

/**
 * What each of so many jobs at once may use, by the configuration or else by their share of this host. All of them together
 * leave the owner a reserve that the owner has set.
 */
export function jobResources(config: ResourceOptions, slots: number, host?: HostSize): JobResources {
  const { jobCpus, jobMemory, reserveCpus, reserveMemory } = config;
  const share = hostShare(slots, { memoryBytes: reserveMemory, cpus: reserveCpus }, host);
  const memoryBytes = jobMemory ?? share.memoryBytes;
  const cpus = jobCpus ?? share.cpus;
  return {
    memoryBytes: reserveMemory === undefined ? memoryBytes : Math.min(memoryBytes, share.memoryBytes),
    cpus: reserveCpus === undefined ? cpus : Math.min(cpus, share.cpus),
  };
}

type ResourceOptions = Pick<Config, 'jobCpus' | 'jobMemory' | 'reserveCpus' | 'reserveMemory'>;

/** What the dry run and tests use instead of the configured host. */
export type Overrides = {
  readonly runtime?: (agentId: string) => Runtime;
  /** Wraps the agent's ports. */
  readonly between?: (ports: Ports) => Ports;
  readonly probe?: GpuProbe;
  /** The figures of the probe's GPUs; without a probe they come from the host. */
  readonly samples?: GpuSampler;
  readonly observe?: Observer;
  readonly settings?: Partial<AgentSettings>;
  /** What the status calls this host; by default its name. */
  readonly host?: string;
};

/** The agent's ports to broker, engine, files and journal. */
export type Ports = {
  readonly broker: Broker;
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
};

/** An agent on open adapters. */
export type OpenAgent = {
  readonly agent: Agent;
  readonly journal: Journal;
  /** Writes the phase to the state directory, for `drain` and `check`. */
  setPhase(phase: Phase): void;
  /** Answers commands from now on; `health` with this status line. */
  answer(version: string, status: () => string): Promise<void>;
  /**
   * Reads the token again, and takes of a configuration that was read again what needs no restart. Throws TOKEN_*,
   * SECRET_FILE_UNSAFE, CONFIG_INVALID; the old configuration then stays.
   */
  reload(next: Loaded): Promise<void>;
  close(): Promise<void>;
};

/**
 * Opens the configured adapters and builds an agent on them. Throws STATE_DIR_*, JOURNAL_UNUSABLE, TOKEN_*,
 * CONFIG_INVALID; nothing is left open then.
 */
export async function openAgent(
  parts: AppParts,
  options: { readonly once: boolean; readonly onProgress: (progress: PullProgress) => void },
  overrides: Overrides = {},
): Promise<OpenAgent> {
  const { clock, loaded, log } = parts;
  const { config } = loaded;
  await using opened = new AsyncDisposableStack();
  const counts = { events: new EventMetrics(), broker: new BrokerMetrics() };
  const connection = openBroker(parts, counts.broker.observe);
  const { broker, tokens } = connection;
  opened.defer(() => connection.close());
  // Before anything starts: a token that cannot be used needs its owner.
  await tokens.current();
  const stateDir = openStateDir(config.stateDir);
  opened.defer(() => stateDir.close());
  const journal = openJournal(stateDir, config.brokerUrl, clock, {
    machine: machineId(),
    onMoved: logMove(log),
    onCopied: logCopied(log),
  });
  opened.defer(() => journal.close());
  opened.defer(pruneRegularly(journal, config.keepHistory, parts));
  /** With what reloads have changed. */
  let inForce = loaded;
  const logEvent = eventLog(log);
  const { schedule } = scheduleOf(config);
  let { zone } = schedule;
  const electricity = opened.use(
    openElectricity({
      ...parts,
      config: () => inForce.config,
      zone: () => zone,
      stateDir: stateDir.path,
      random: Math.random,
    }),
  );
  const notifications = opened.use(openNotifications(parts, journal, () => zone));
  const recent = new RecentEvents({ clock, redact: (line) => parts.redactor.line(line) });
  const observe: Observer = (event) => {
    logEvent(event);
    recent.observe(event);
    counts.events.observe(event);
    notifications?.observe(event);
    overrides.observe?.(event);
  };
  const marketHistory = openMarketHistory(config, stateDir.path, log);
  opened.defer(() => marketHistory?.close());
  const page = await openPage(config, { ...parts, stateDir: stateDir.path, observe });
  const room = new ImageRoom();
  const pulls = new PullMonitor(clock, observe, options.onProgress);
  const docker =
    overrides.runtime === undefined
      ? openDocker(
          parts,
          journal.agentId,
          (progress) => pulls.report(progress),
          (pendingBytes) => room.make(pendingBytes),
        )
      : overrides.runtime(journal.agentId);
  let gvisor: GvisorFacts | undefined;
  const vulnerabilities =
    docker instanceof DockerRuntime
      ? new VulnerabilityGate({
          hostVersions: cachedFor(
            HOST_VERSIONS_TTL_MS,
            () => clock.monotonic(),
            async (signal) => {
              gvisor = await gvisorOf(loaded, await docker.facts(signal), signal);
              return hostVersionsOf(docker, signal);
            },
          ),
          accepted: config.acceptRisk,
          log,
          observe,
        })
      : undefined;
  const ports: Ports = {
    broker,
    runtime: docker,
    files: new JobFolders(join(stateDir.path, 'jobs')),
    journal,
  };
  const smi = openSmi(config);
  const marketReads = marketHistory && {
    history: marketHistory,
    ownJobs: journal.ownJobs,
    clock,
    knowledge: () => ({ catalogue: agent.catalogue, images: inForce.config.images }),
  };
  const agent: Agent = buildAgent({
    ...(overrides.between?.(ports) ?? ports),
    probe: overrides.probe ?? openProbe(config, smi),
    samples: overrides.probe === undefined ? openSampler(config, smi, parts) : overrides.samples,
    rollups: journal.gpuRollups,
    electricity,
    presence: overrides.probe === undefined ? openPresence(config) : undefined,
    vulnerabilities,
    // The kernel log knows nothing of GPUs that are simulated.
    kernelLog: overrides.probe === undefined ? openKernelLog() : undefined,
    planOffers: (gpus, catalogue) =>
      planOffers(gpus, catalogue, {
        ...offerSettings(inForce.config),
        refusal: vulnerabilities?.refusal,
        unsuitable: (gpu) => gvisor && unmetByGvisor(gpu, gvisor),
      }),
    askSettings: (offer) => askSettings(inForce.config, offer),
    marketHistory,
    marketSight: marketReads && ((offer) => marketSight(marketReads, offer)),
    schedule,
    jobResources: (slots) => jobResources(config, slots),
    clock,
    random: Math.random,
    log,
    observe,
    settings: {
      pollIntervalMs: config.pollInterval,
      gpuProbeMs: config.nvidiaSmiTimeout,
      minFreeGpuMemory: config.minFreeGpuMemory,
      maxGpuTemperature: (gpu) => maxTemperatureOf(config, gpu),
      jobTimeoutMs: config.jobTimeout,
      imagePatterns: config.images,
      maxPulls: config.maxPulls,
      diskLimitBytes: config.jobDisk,
      trafficLimitBytes: config.jobTraffic,
      minFreeBytes: config.minFreeDisk,
      unkillableAfterMs: UNKILLABLE_AFTER_MS,
      once: options.once,
      ...overrides.settings,
    },
    admissionChecks: resourceChecks({
      directories: () => [config.stateDir, ports.runtime.storagePath],
      minFreeBytes: config.minFreeDisk,
      freeBytes,
      freeFiles: (path) => diskSpace(path)?.freeInodes,
      memory: readHostMemory,
      reserveBytes: config.reserveMemory,
    }),
    imageDisk: imageDiskRules(config, room),
    diskSpace,
    // Without an id the machine may be another one, whose processes say nothing.
    noneRuns: (containers) => machineId() !== undefined && noneRuns(containers),
    memory: new HostMemoryMonitor(() => clock.monotonic()),
    watchHalts: (container) => watchHalts(container),
    systemdReloadedAt,
    hostMemory: readHostMemory,
    network: config.jobNetwork,
    isolated:
      overrides.runtime === undefined
        ? openIsolatedNetwork({ engine: dockerEndpoint(loaded), line: lineLimits(config), hostAddresses })
        : undefined,
    reloadToken: () => tokens.renew(),
  });
  const kept = opened.move();
  const startedAt = clock.monotonic();
  let phase: Phase = 'working';
  /** For work that the agent can do without. */
  const orWarn = async (words: string, work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      log.warn({ event: 'state-dir-write-failed', err: thrown }, words);
    }
  };
  return {
    agent,
    journal,
    setPhase: (next) => {
      phase = next;
      void orWarn('phase not written', () => stateDir.setPhase(next));
    },
    answer: (version, status) =>
      orWarn('commands are not answered', async () => {
        const routes = routesOf({
          agent,
          recent,
          journal,
          status,
          phase: () => phase,
          pulls: () => pulls.pulls,
          page: () => page.problem(),
          clock,
          host: overrides.host ?? hostname(),
          version,
          startedAt,
          electricity,
          marketPast: marketHistory && ((...of) => readPast(marketHistory, ...of)),
          settings: {
            loaded: () => inForce,
            redact: (text) => parts.redactor.line(text),
            engine: (signal) => engineVersions(docker, signal),
            risks: () => vulnerabilities?.risks ?? [],
          },
        });
        const metrics = new Metrics({ ...counts, agent, journal, clock, version });
        kept.use(await page.serve({ routes, version }, metrics));
        const answering = { routes: [...routes, ...page.routes], version };
        kept.use(await serveControl(socketsOf(stateDir.path, config.runtimeDirectory), answering));
      }),
    reload: async (file) => {
      await tokens.reload();
      await page.follow(file.config);
      inForce = reloaded(loaded, file);
      const next = scheduleOf(inForce.config).schedule;
      zone = next.zone;
      agent.reprice();
      agent.reschedule(next);
    },
    close: () => kept.disposeAsync(),
  };
}
