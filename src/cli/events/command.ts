import { z } from 'zod';
import { duration } from '../../config/duration.ts';
import { count } from '../../config/number-types.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { ShownEvent } from '../../control-api/protocol.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { prettyLine } from '../../lib/pretty-line.ts';
import { sleep } from '../../lib/sleep.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { followAgent, isGone } from '../follow-agent.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';

/** An agent that is started again answers after so long, or is asked again. */
const AGAIN_MS = 500;

const FOLLOW: Switch = {
  name: 'follow',
  help: 'continue with what happens, also over a restart of the agent',
};

const SINCE: ValueFlag<number> = {
  name: 'since',
  help: 'only what happened in this time, such as 1h',
  type: duration('1s', '3650d'),
  default: '',
};

const LIMIT: ValueFlag<number> = {
  name: 'limit',
  help: 'how many events from before to show, the latest',
  type: count(1, 1_000),
  default: '100',
};

/** What the running agent remembers of its log, without root and without journalctl. */
export const events: CliCommand = {
  name: 'events',
  summary: 'show what the running agent has done, and with --follow what it does',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [FOLLOW, JSON_SWITCH],
  values: [SINCE, LIMIT],
  examples: [
    { line: 'events --since 1h', does: 'what happened in the last hour' },
    { line: 'events --follow --json', does: 'one JSON object a line, as `GET /api/events` answers it' },
  ],
  run: async (context) => {
    const { stateDir } = (await context.loadConfig({ ask: false })).config;
    const interruption = listenForInterruption();
    try {
      await show(context, stateDir, interruption.first);
      const reason: unknown = interruption.first.reason;
      return reason instanceof Interrupted ? reason.exit : EXIT.OK;
    } finally {
      interruption.ignore();
    }
  },
};

/** Ends with the events that there are, or with the signal where they are followed. Throws AGENT_*. */
async function show(context: CliContext, stateDir: string, signal: AbortSignal): Promise<void> {
  const { clock, stderr, stdout } = context;
  const isFollowed = context.has(FOLLOW);
  const from = context.has(SINCE) ? clock.now() - context.valueOf(SINCE) : 0;
  let last: number | undefined;
  let isWaiting = false;
  for (;;) {
    const which = last === undefined ? `limit=${context.valueOf(LIMIT)}` : `since=${last}`;
    const rest = `?${which}${isFollowed ? '&follow=1' : ''}`;
    try {
      for await (const event of followAgent(context, stateDir, ENDPOINTS.events, { rest }, signal)) {
        isWaiting = false;
        last = event.seq;
        if (event.at >= from) stdout.write(textOf(event, context));
      }
      last ??= 0;
    } catch (thrown) {
      if (!isFollowed || last === undefined || !isGone(thrown)) throw thrown;
      if (!isWaiting) stderr.write('the agent is not running; waiting for its next start\n');
      isWaiting = true;
    }
    if (!isFollowed || !(await sleep(AGAIN_MS, signal))) return;
  }
}

function textOf(event: ShownEvent, { has, stdout }: CliContext): string {
  if (has(JSON_SWITCH)) return `${JSON.stringify(z.encode(ENDPOINTS.events.answer, event))}\n`;
  const { at, event: name, fields, level, message } = event;
  const line = { ...fields, level, time: new Date(at).toISOString(), event: name, msg: message };
  return prettyLine(JSON.stringify(line), stdout);
}
