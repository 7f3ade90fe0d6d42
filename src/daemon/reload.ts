import type { CliContext } from '../cli/command.ts';
import type { OpenAgent } from '../compose.ts';
import type { Config } from '../config/config.ts';
import { restartNeeded } from '../config/reload.ts';
import { asAgentError } from '../domain/errors.ts';
import type { Log } from '../lib/log.ts';

/** What takes a reload. */
export type Reloading = {
  readonly context: Pick<CliContext, 'loadConfig'>;
  /** What the agent was started with. */
  readonly running: Config;
  readonly agent: Pick<OpenAgent, 'reprice' | 'reloadToken'>;
  readonly log: Log;
};

/**
 * Reads the configuration and the token again. New prices count at once; of what else has changed it is told that it
 * waits for a restart. What cannot be read changes nothing. Never throws; answers in a line how it went.
 */
export async function reload({ agent, context, log, running }: Reloading): Promise<string> {
  try {
    const { config, warnings } = await context.loadConfig({ ask: true });
    for (const warning of warnings) log.warn({}, warning);
    await agent.reloadToken();
    agent.reprice(config);
    const waiting = restartNeeded(running, config);
    if (waiting.length > 0)
      log.warn({ settings: waiting }, `changed, but only a restart makes it count: ${waiting.join(', ')}`);
    log.info({}, 'configuration read again');
    return 'configuration read again';
  } catch (thrown) {
    const error = asAgentError(thrown);
    const text = `configuration not read again, the old one counts: ${error.message}`;
    log.error({ code: error.code, hint: error.hint }, text);
    return text;
  }
}
