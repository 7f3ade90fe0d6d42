import type { Config, Loaded } from '../../config/config.ts';
import { OPTION_KEYS } from '../../config/options.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Redactor } from '../../lib/redactor.ts';
import type { CliCommand, Switch } from '../command.ts';
import { type PullDisplay, pullDisplay } from '../pull-display.ts';

const ONCE: Switch = {
  name: 'once',
  help: 'exit when no run is left to take and all reports are delivered',
};

/** Runs the agent's process and returns its exit code; `main.ts` passes in `daemon/run-daemon.ts`. */
export type RunDaemon = (parts: {
  readonly version: string;
  readonly uid: number;
  readonly redactor: Redactor;
  readonly clock: HostClock;
  readonly once: boolean;
  readonly onTerminal: boolean;
  readonly loadConfig: () => Promise<Loaded>;
  readonly createLog: (config: Config) => Log;
  readonly onPullProgress: PullDisplay;
}) => Promise<number>;

/** The agent itself. */
export const start = (runDaemon: RunDaemon): CliCommand => ({
  name: 'start',
  summary: 'run the agent: claim runs, run their jobs, report the results',
  group: 'Run',
  options: OPTION_KEYS,
  switches: [ONCE],
  values: [],
  examples: [
    { line: 'start', does: 'run until a signal ends it; the service runs this' },
    {
      line: 'start --once --cpu-slots 2 --ask-price 0.01',
      does: 'run CPU jobs until no run is left to take',
    },
  ],
  run: (context) => {
    const { clock, createLog, redactor, stderr, uid, version } = context;
    return runDaemon({
      version,
      uid,
      redactor,
      clock,
      once: context.has(ONCE),
      onTerminal: stderr.isTerminal,
      loadConfig: () => context.loadConfig({ ask: true, ownWarnings: true }),
      createLog,
      onPullProgress: pullDisplay(stderr, clock),
    });
  },
});
