import { AgentError, asAgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { anySignal } from '../../lib/deadline.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { CliCommand, CliContext } from '../command.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';
import { readStatus } from '../status/command.ts';
import { frameLines, type Shown } from './frame.ts';
import { openScreen } from './screen.ts';

const EVERY_MS = 1_000;

/** `status`, live. */
export const top: CliCommand = {
  name: 'top',
  summary: 'show what `status` shows, once a second, until q is pressed',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [],
  values: [],
  examples: [{ line: 'top', does: 'needs a terminal; a restart of the agent does not end it' }],
  run: async (context) => {
    if (!context.stdout.isTerminal)
      throw new AgentError('CONFIG_INVALID', '`top` draws on a terminal, and the output is none', {
        hint: 'use `status`, or `events --follow`',
      });
    const { stateDir } = (await context.loadConfig({ ask: false })).config;
    // What is wrong from the beginning is said on the usual screen.
    const first = await readStatus(context, stateDir);
    const interruption = listenForInterruption();
    try {
      await redraw(context, stateDir, { kind: 'status', status: first }, interruption.first);
      const reason: unknown = interruption.first.reason;
      return reason instanceof Interrupted ? reason.exit : EXIT.OK;
    } finally {
      interruption.ignore();
    }
  },
};

/** Draws until the reader has had enough or the signal aborts. */
async function redraw(
  context: CliContext,
  stateDir: string,
  first: Shown,
  interrupted: AbortSignal,
): Promise<void> {
  const { clock, stdout } = context;
  using screen = openScreen(stdout);
  const over = anySignal(screen.quit, interrupted);
  const again = new Notifier();
  let shown = first;
  let wasRunning = false;
  const draw = (): void => {
    const { columns, rows } = screen.size;
    const page = { columns, colour: stdout.colour, redact: (text: string) => stdout.redact(text) };
    screen.draw(frameLines(shown, { at: clock.now(), rows, wasRunning }, page));
  };
  screen.onResize(draw);
  while (!over.aborted) {
    if (shown.kind === 'status' && shown.status.agent !== null) wasRunning = true;
    draw();
    await again.wait(over, EVERY_MS);
    if (!over.aborted) shown = await readAgain(context, stateDir);
  }
}

async function readAgain(context: CliContext, stateDir: string): Promise<Shown> {
  try {
    return { kind: 'status', status: await readStatus(context, stateDir) };
  } catch (thrown) {
    const { hint, message } = asAgentError(thrown);
    return { kind: 'failed', why: hint === undefined ? message : `${message} (${hint})` };
  }
}
