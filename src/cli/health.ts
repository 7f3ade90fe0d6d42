import { lastSign, type SignOfLife } from '../journal/heartbeat.ts';
import { findAgent } from '../journal/running-agent.ts';
import { type CliCommand, JSON_SWITCH } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { BEAT_MS } from './vitals.ts';

/** So many signs of life may be missed, on a host that is busy. */
const MISSED = 6;

/** Whether the daemon lives, for whoever watches it: a container's health check, a monitor. Changes nothing. */
export const health: CliCommand = {
  name: 'health',
  summary: 'whether the agent of this state directory is alive, by the signs of life that it leaves there',
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const sign = lastSign(config.stateDir, context.clock.moment());
    const runs = findAgent(config.stateDir).kind !== 'none';
    const healthy = runs && isFresh(sign);
    const text = context.has(JSON_SWITCH)
      ? `${JSON.stringify({ healthy, ageMs: sign?.ageMs ?? null, status: sign?.status ?? null })}\n`
      : `${inWords(sign, runs)}\n`;
    context.stdout.write(text);
    return healthy ? EXIT.OK : EXIT.FAILED;
  },
};

function isFresh(sign: SignOfLife | undefined): boolean {
  return sign?.ageMs !== undefined && sign.ageMs <= MISSED * BEAT_MS;
}

function inWords(sign: SignOfLife | undefined, runs: boolean): string {
  if (sign === undefined) return 'no agent has left a sign of life here';
  if (sign.ageMs === undefined) return 'no sign of life since the host was started';
  const seconds = Math.round(sign.ageMs / 1000);
  if (!runs) return `no agent runs here; ${seconds} s ago it was: ${sign.status}`;
  return isFresh(sign)
    ? `alive ${seconds} s ago: ${sign.status}`
    : `no sign of life for ${seconds} s; the last was: ${sign.status}`;
}
