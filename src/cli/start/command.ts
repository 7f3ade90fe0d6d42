import type { Observer } from '../../agent/events/events.ts';
import { type OpenAgent, type Overrides, openAgent } from '../../compose.ts';
import { OPTION_KEYS } from '../../config/options.ts';
import { reload } from '../../daemon/reload.ts';
import { ACTIONS, type Action, onSignals } from '../../daemon/signals.ts';
import { SystemdNotifier } from '../../daemon/systemd-notify.ts';
import { SystemdStatus } from '../../daemon/systemd-status.ts';
import type { Log } from '../../lib/log.ts';
import type { CliCommand, Switch } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { pullProgress } from '../pull-progress.ts';

const ONCE: Switch = {
  name: 'once',
  help: 'end when the market has nothing left for us and all is reported',
};

/** The daemon, with something in place of what the host has, as tests want it. */
export const startWith = (overrides: Overrides): CliCommand => ({
  name: 'start',
  summary: 'run the agent: win runs, run their jobs, report',
  options: OPTION_KEYS,
  switches: [ONCE],
  values: [],
  run: async (context) => {
    // Before anybody can know of this process: a signal that comes while it opens is heard when it has.
    const signals = new SignalQueue(context.stderr.isTerminal);
    try {
      const loaded = await context.loadConfig({ ask: true });
      const log = context.createLog(loaded.config);
      for (const warning of loaded.warnings) log.warn({}, warning);
      const onProgress = pullProgress(context.stderr, log, context.clock);
      const { systemdNotify } = context;
      await using systemdStatus = new SystemdStatus(systemdNotify && new SystemdNotifier(systemdNotify, log));
      const observe: Observer = (event) => {
        systemdStatus.see(event);
        overrides.observe?.(event);
      };
      const opened = await openAgent(
        { ...context, loaded, log },
        { once: context.has(ONCE), onProgress },
        { ...overrides, observe },
      );
      try {
        log.info(
          { version: context.version, broker: loaded.config.brokerUrl, pid: process.pid },
          'agent starts',
        );
        await opened.answerHealth(() => systemdStatus.status);
        const again = (): Promise<string> => reload({ context, running: loaded.config, agent: opened, log });
        return await untilEnd({ opened, signals, log, systemdStatus, reload: again });
      } finally {
        await opened.close();
        log.info({}, 'agent ends');
      }
    } finally {
      signals.close();
    }
  },
});

/** The daemon. */
export const start: CliCommand = startWith({});

/** Runs the agent until it has ended, or a signal wants that at once; answers the exit code. */
async function untilEnd(parts: {
  readonly opened: OpenAgent;
  readonly signals: SignalQueue;
  readonly log: Log;
  readonly systemdStatus: SystemdStatus;
  /** Reads the configuration again; answers in a line how it went. */
  readonly reload: () => Promise<string>;
}): Promise<number> {
  const { log, opened, signals, systemdStatus } = parts;
  const { agent } = opened;
  let reloads: Promise<void> = Promise.resolve();
  const abandoned = Promise.withResolvers<number>();
  let exit: number = EXIT.OK;
  const ran = agent.run().then(() => exit);
  signals.open((action) => {
    log.info({}, `${action}: the agent ${ACTIONS[action].words}`);
    const { exit: code, leadsTo } = ACTIONS[action];
    exit = code ?? exit;
    if (leadsTo !== undefined) {
      opened.note(leadsTo);
      systemdStatus.leaving(leadsTo);
    }
    if (action === 'reload') reloads = reloads.then(() => systemdStatus.reloading(parts.reload));
    else if (action === 'stop') void agent.stop();
    else if (action === 'drain') void agent.drain();
    else if (action === 'evict') void agent.evict();
    else abandoned.resolve(exit);
  });
  return Promise.race([ran, abandoned.promise]);
}

/** Listens for signals from the beginning, and keeps them until somebody acts on them. */
class SignalQueue {
  readonly #kept: Action[] = [];
  readonly #silence: () => void;
  #act: ((action: Action) => void) | undefined;

  constructor(onTerminal: boolean) {
    this.#silence = onSignals((action) => {
      if (this.#act === undefined) this.#kept.push(action);
      else this.#act(action);
    }, onTerminal);
  }

  open(act: (action: Action) => void): void {
    this.#act = act;
    for (const action of this.#kept.splice(0)) act(action);
  }

  close(): void {
    this.#silence();
  }
}
