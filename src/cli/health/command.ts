import { EXIT } from '../../domain/exit-codes.ts';
import { type Health, queryHealth } from '../../state-dir/health-socket.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';

/** Long enough for a busy host. */
const TIMEOUT_MS = 20_000;

/** For a container's health check or a monitor: whether the agent's process answers. */
export const health: CliCommand = {
  name: 'health',
  summary: 'tell whether the agent is alive and what it is doing',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'health', does: 'exit code 0 where it answers, 1 where it does not' },
    { line: 'health --state-dir /srv/agent --json', does: 'of the agent on another state directory' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const asked = await queryHealth(config.stateDir, TIMEOUT_MS);
    const healthy = asked.kind === 'alive';
    const status = healthy ? asked.status : null;
    const text = context.has(JSON_SWITCH)
      ? JSON.stringify({ healthy, status })
      : healthText(asked, config.stateDir);
    context.stdout.write(`${text}\n`);
    return healthy ? EXIT.OK : EXIT.FAILED;
  },
};

function healthText(asked: Health, stateDir: string): string {
  if (asked.kind === 'alive') return `alive: ${asked.status}`;
  if (asked.kind === 'none')
    return `no agent is running on ${stateDir}\n  hint: name another state directory with --state-dir`;
  return `the agent did not answer within ${TIMEOUT_MS / 1000} s`;
}
