import { EXIT } from '../../domain/exit-codes.ts';
import { escapeControls } from '../../lib/escape.ts';
import { askHealth, type Health } from '../ask-health.ts';
import { type CliCommand, JSON_SWITCH, type Switch } from '../command.ts';

/** Long enough for a busy host. */
const TIMEOUT_MS = 20_000;

const READY = {
  name: 'ready',
  help: 'also fail while this host can claim no job, and say why',
} as const satisfies Switch;

/** For a container's health check or a monitor: whether the agent's process answers, or whether it can claim jobs. */
export const health: CliCommand = {
  name: 'health',
  summary: 'tell whether the agent is alive and what it is doing',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [READY, JSON_SWITCH],
  values: [],
  examples: [
    { line: 'health', does: 'exit code 0 where it answers, 1 where it does not' },
    { line: 'health --ready', does: 'exit code 1 also while this host can claim no job' },
    { line: 'health --state-dir /srv/agent --json', does: 'of the agent on another state directory' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const asked = await askHealth(config.stateDir, TIMEOUT_MS);
    const healthy = asked.kind === 'alive';
    const ready = healthy && asked.why === null;
    const nothing = { degraded: null, hint: null, status: null, why: null };
    const { degraded, hint, status, why } = asked.kind === 'alive' ? asked : nothing;
    const text = context.has(JSON_SWITCH)
      ? JSON.stringify({ healthy, ready, status, why, degraded, hint })
      : healthText(asked, config.stateDir);
    context.stdout.write(`${text}\n`);
    return healthy && (ready || !context.has(READY)) ? EXIT.OK : EXIT.FAILED;
  },
};

function healthText(asked: Health, stateDir: string): string {
  if (asked.kind === 'alive') {
    const { degraded, hint, status, why } = asked;
    const notReady = why === null ? [] : [`not ready: ${escapeControls(why)}`];
    const slow = degraded === null ? [] : [`degraded: ${escapeControls(degraded)}`];
    const problems = why === null ? slow : notReady;
    const hints = problems.length === 0 || hint === null ? [] : [`  hint: ${escapeControls(hint)}`];
    const rest = why === null ? [] : slow;
    return [`alive: ${escapeControls(status)}`, ...problems, ...hints, ...rest].join('\n');
  }
  if (asked.kind === 'none')
    return `no agent is running on ${stateDir}\n  hint: name another state directory with --state-dir`;
  return `the agent did not answer within ${TIMEOUT_MS / 1000} s`;
}
