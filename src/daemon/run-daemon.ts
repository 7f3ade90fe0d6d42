import type { Observer } from '../agent/events/events.ts';
import { type AppParts, type OpenAgent, type Overrides, openAgent } from '../compose.ts';
import type { Config, Loaded } from '../config/config.ts';
import { EXIT } from '../domain/exit-codes.ts';
import type { PullProgress } from '../domain/ports/runtime.ts';
import { ACTIONS } from '../domain/signals.ts';
import { type HostFacts, hostFacts } from '../host/host-facts.ts';
import { readPlatform } from '../host/platform.ts';
import type { Log } from '../lib/log.ts';
import { reload } from './reload.ts';
import { SignalListener } from './signal-listener.ts';
import { SystemdNotifier, type SystemdNotifyAddress } from './systemd-notify.ts';
import { SystemdStatus } from './systemd-status.ts';

/** The start waits no longer for facts that it only logs. */
const HOST_FACTS_MS = 1_000;

/** What the agent's process is given of the outside world. */
export type DaemonParts = Pick<AppParts, 'clock' | 'redactor' | 'uid'> & {
  readonly version: string;
  /** Exit when no run is left to take. */
  readonly once: boolean;
  readonly onTerminal: boolean;
  /** Where systemd wants to be notified; undefined: systemd did not start this process. */
  readonly systemdNotify: SystemdNotifyAddress | undefined;
  /** Reads the configuration, again for each reload. Throws CONFIG_INVALID. */
  readonly loadConfig: () => Promise<Loaded>;
  readonly createLog: (config: Config) => Log;
  /** Takes each step of image pulls. */
  readonly onPullProgress: (progress: PullProgress) => void;
};

/** Runs the agent until it ends or a signal abandons it. Returns the exit code; throws what keeps it from starting. */
export async function runDaemon(parts: DaemonParts, overrides: Overrides = {}): Promise<number> {
  // First of all, so that no signal that arrives while the agent is built is lost.
  using signals = new SignalListener(parts.onTerminal);
  const host = hostFacts(HOST_FACTS_MS);
  const loaded = await parts.loadConfig();
  const log = parts.createLog(loaded.config);
  for (const warning of loaded.warnings) log.warn({ event: 'configuration-warning' }, warning);
  const { systemdNotify } = parts;
  await using systemdStatus = new SystemdStatus(systemdNotify && new SystemdNotifier(systemdNotify, log));
  const observe: Observer = (event) => {
    systemdStatus.observe(event);
    overrides.observe?.(event);
  };
  const opened = await openAgent(
    { ...parts, loaded, log },
    { once: parts.once, onProgress: parts.onPullProgress },
    { ...overrides, observe },
  );
  try {
    logStart(log, parts.version, loaded.config, await host);
    await opened.answer(parts.version, () => systemdStatus.text);
    return await untilEnd(parts, { opened, signals, log, systemdStatus, running: loaded.config });
  } finally {
    await opened.close();
    log.info({ event: 'agent-stopped' }, 'agent stopped');
  }
}

function logStart(log: Log, version: string, { brokerUrl }: Config, host: HostFacts): void {
  const { cpu, memory, os, virtualization } = host;
  const fields = {
    version,
    broker: brokerUrl,
    pid: process.pid,
    os,
    cpu: cpu && `${cpu.model}, ${cpu.cores} cores`,
    memoryBytes: memory?.totalBytes,
    virtualization,
    platform: readPlatform(),
  };
  log.info({ event: 'agent-started', ...fields }, 'agent started');
}

/** Runs the agent until it has ended, or until a signal abandons it; returns the exit code. */
async function untilEnd(
  { loadConfig }: DaemonParts,
  daemon: {
    readonly opened: OpenAgent;
    readonly signals: SignalListener;
    readonly log: Log;
    readonly systemdStatus: SystemdStatus;
    /** The configuration that the agent was started with. */
    readonly running: Config;
  },
): Promise<number> {
  const { log, opened, running, signals, systemdStatus } = daemon;
  const { agent } = opened;
  let reloads: Promise<void> = Promise.resolve();
  const abandoned = Promise.withResolvers<number>();
  let exit: number = EXIT.OK;
  const ran = agent.run().then(() => exit);
  signals.open((action) => {
    const { exit: code, leadsTo, meaning } = ACTIONS[action];
    log.info({ event: 'signal-received', action }, `${action}: ${meaning}`);
    exit = code ?? exit;
    if (leadsTo !== undefined) {
      opened.setPhase(leadsTo);
      systemdStatus.setPhase(leadsTo);
    }
    if (action === 'reload')
      reloads = reloads.then(() =>
        systemdStatus.reloading(() => reload({ loadConfig, running, agent: opened, log })),
      );
    else if (action === 'stop') void agent.stop();
    else if (action === 'drain') void agent.drain();
    else if (action === 'evict') void agent.evict();
    else abandoned.resolve(exit);
  });
  return Promise.race([ran, abandoned.promise]);
}
