import type { OpenAgent } from '../compose.ts';
import type { Config, Loaded } from '../config/config.ts';
import { restartNeeded } from '../config/reload.ts';
import { asAgentError } from '../domain/errors.ts';
import type { Log } from '../lib/log.ts';

/** What a reload works with. */
export type Reloading = {
  readonly loadConfig: () => Promise<Loaded>;
  /** The configuration that the agent was started with. */
  readonly running: Config;
  readonly agent: Pick<OpenAgent, 'reload'>;
  readonly log: Log;
};

/**
 * Reads the configuration and the token again and applies new prices and a new schedule at once; logs which other changes need a restart.
 * After an error the old configuration stays in force. Never throws; returns the outcome in a line for people.
 */
export async function reload({ agent, loadConfig, log, running }: Reloading): Promise<string> {
  try {
    const next = await loadConfig();
    for (const warning of next.warnings) log.warn({ event: 'configuration-warning' }, warning);
    await agent.reload(next);
    const settings = restartNeeded(running, next.config);
    if (settings.length > 0)
      log.warn({ event: 'restart-needed', settings }, `changed, but needs a restart: ${settings.join(', ')}`);
    log.info({ event: 'configuration-reloaded' }, 'configuration reloaded');
    return 'configuration reloaded';
  } catch (thrown) {
    const { code, hint, message } = asAgentError(thrown);
    const text = `configuration not reloaded: ${message}`;
    log.error({ event: 'reload-failed', code, hint }, text);
    return text;
  }
}
