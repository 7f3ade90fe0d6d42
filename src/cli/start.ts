import { openAgent, type Stead } from '../app.ts';
import { OPTION_KEYS } from '../config/options.ts';
import type { CliCommand, Switch } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { pullProgress } from './pull-progress.ts';
import { onSignals } from './signals.ts';

const ONCE: Switch = {
  name: 'once',
  help: 'end when the market has nothing left for us and all is reported',
};

/** The daemon, with something in place of what the host has, as tests want it. */
export const startWith = (stead: Stead): CliCommand => ({
  name: 'start',
  summary: 'run the agent: win runs, run their jobs, report',
  options: OPTION_KEYS,
  switches: [ONCE],
  values: [],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: true });
    const log = context.createLog(loaded.config);
    for (const warning of loaded.warnings) log.warn({}, warning);
    const onProgress = pullProgress(context.stderr, log, context.clock);
    const opened = await openAgent(
      { ...context, loaded, log },
      { once: context.has(ONCE), onProgress },
      stead,
    );
    const abandoned = Promise.withResolvers<number>();
    const silence = onSignals({
      stop: () => {
        log.info({}, 'stopping: running jobs keep running, the next start goes on with them');
        void opened.agent.stop();
      },
      drain: () => {
        log.info({}, 'draining: no new jobs, waiting for those that run');
        void opened.agent.drain();
      },
      abandon: () => abandoned.resolve(EXIT.FAILED),
    });
    try {
      log.info(
        { version: context.version, broker: loaded.config.brokerUrl, pid: process.pid },
        'agent starts',
      );
      const ran = opened.agent.run().then(() => EXIT.OK);
      return await Promise.race([ran, abandoned.promise]);
    } finally {
      silence();
      await opened.close();
      log.info({}, 'agent ends');
    }
  },
});

/** The daemon. */
export const start: CliCommand = startWith({});
