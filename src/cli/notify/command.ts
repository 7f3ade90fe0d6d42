import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { notificationTargets, wantedNotifications } from '../../compose-notifications.ts';
import { notificationKinds } from '../../config/notify-types.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import type { NotificationKind } from '../../domain/notification-kinds.ts';
import type { NotificationMessage, NotificationTarget } from '../../domain/ports/notifications.ts';
import { readableDuration } from '../../lib/readable.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type ValueFlag } from '../command.ts';
import { listenForInterruption } from '../interruption.ts';
import { type Column, table } from '../table.ts';
import { sampleOf } from './samples.ts';

const KIND: ValueFlag<readonly NotificationKind[]> = {
  name: 'kind',
  help: 'only these kinds; by default all that --notify-events wants',
  type: notificationKinds,
  default: '',
};

/** What a target made of a message. */
type Sent = {
  readonly target: NotificationTarget['name'];
  readonly address: string;
  readonly kind: NotificationKind;
  readonly delivered: boolean;
  readonly tookMs: number;
  readonly why: string | null;
  readonly hint: string | null;
};

/** Tries the targets of notifications, with or without a running agent. */
export const notify: CliCommand = {
  name: 'notify',
  summary: 'try the targets of notifications',
  group: 'Set up',
  actions: [{ name: 'test', help: 'send a message of each kind to each target, marked as a test' }],
  options: [
    'notifyWebhook',
    'notifyWebhookSecretFile',
    'notifyNtfy',
    'notifyNtfyTokenFile',
    'notifyCommand',
    'notifyEvents',
    'configFile',
  ],
  switches: [JSON_SWITCH],
  values: [KIND],
  examples: [
    { line: 'notify test', does: 'exit code 0 where every target has taken every message, else 1' },
    { line: 'notify test --kind disk-low,no-jobs --json', does: 'only these, as JSON' },
  ],
  run: async (context) => {
    const { clock, redactor, stdout, valueOf } = context;
    const { config } = await context.loadConfig({ ask: false });
    const targets = notificationTargets(config, clock);
    if (targets.length === 0)
      throw new AgentError('CONFIG_INVALID', 'no target of notifications is configured', {
        hint: 'set --notify-webhook, --notify-ntfy or --notify-command',
      });
    const asked = valueOf(KIND);
    const kinds = asked.length > 0 ? asked : wantedNotifications(config);
    const redact = (text: string): string => redactor.text(text);
    const messages = kinds.map((kind) =>
      sampleOf(kind, { id: randomUUID(), at: clock.now(), host: hostname(), redact }),
    );
    const interruption = listenForInterruption();
    const sent = await Promise.all(
      targets.map((target) => sendAll(context, target, messages, interruption.first)),
    ).finally(() => interruption.ignore());
    const all = sent.flat();
    stdout.write(
      context.has(JSON_SWITCH)
        ? `${JSON.stringify({ sent: all }, null, 2)}\n`
        : table(COLUMNS, all, stdout) + hintsOf(all),
    );
    return all.every(({ delivered }) => delivered) ? EXIT.OK : EXIT.FAILED;
  },
};

/** One after the other, as the agent does. */
async function sendAll(
  { clock }: CliContext,
  target: NotificationTarget,
  messages: readonly NotificationMessage[],
  signal: AbortSignal,
): Promise<readonly Sent[]> {
  const { address, name } = target;
  const all: Sent[] = [];
  for (const message of messages) {
    const began = clock.monotonic();
    const failed = await target.send(message, signal).then(() => undefined, asAgentError);
    all.push({
      target: name,
      address,
      kind: message.kind,
      delivered: failed === undefined,
      tookMs: Math.round(clock.monotonic() - began),
      why: failed?.message ?? null,
      hint: failed?.hint ?? null,
    });
  }
  return all;
}

const COLUMNS: readonly Column<Sent>[] = [
  { title: 'TARGET', cell: ({ target }) => target },
  { title: 'KIND', cell: ({ kind }) => kind },
  {
    title: 'RESULT',
    cell: ({ tookMs, why }) => (why === null ? `delivered in ${readableDuration(tookMs)}` : `failed: ${why}`),
    wrap: true,
  },
];

function hintsOf(all: readonly Sent[]): string {
  return [...new Set(all.flatMap(({ hint }) => hint ?? []))].map((hint) => `  hint: ${hint}\n`).join('');
}
