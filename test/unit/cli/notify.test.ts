import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkNotifications } from '../../../src/cli/check/check-notifications.ts';
import { configFor } from '../../../src/cli/dry-run/run-agent.ts';
import { notificationTargets, wantedNotifications } from '../../../src/compose-notifications.ts';
import { NOTIFICATION_KINDS } from '../../../src/domain/notification-kinds.ts';
import { PAYLOAD } from '../../../src/notify/payload.ts';
import { runLine } from '../../support/cli/run.ts';
import { load } from '../../support/config/load.ts';
import { httpServer } from '../../support/faults/server.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const SENT = z.object({
  sent: z.array(
    z.object({ target: z.string(), kind: z.string(), delivered: z.boolean(), why: z.string().nullable() }),
  ),
});

describe('notify test', () => {
  test('sends each wanted kind to each target, marked as a test, and says what each made of it', async () => {
    await using good = await httpServer((_, response) => void response.writeHead(204).end());
    const { exit, stdout } = await runLine(['notify', 'test', '--json'], {
      SHAREDCLOUD_NOTIFY_WEBHOOK: `${good.url}/hook-of-the-owner`,
      SHAREDCLOUD_NOTIFY_COMMAND: '/nowhere/program',
      SHAREDCLOUD_NOTIFY_EVENTS: 'disk-low,daily-summary',
    });
    expect(exit).toBe(1);
    expect(
      SENT.parse(JSON.parse(stdout)).sent.map(({ delivered, kind, target }) => [target, kind, delivered]),
    ).toEqual([
      ['webhook', 'disk-low', true],
      ['webhook', 'daily-summary', true],
      ['command', 'disk-low', false],
      ['command', 'daily-summary', false],
    ]);
    const payloads = good.seen.map(({ body }) => PAYLOAD.parse(JSON.parse(body)));
    expect(payloads.map(({ summary, test: isTest }) => [isTest, summary !== null])).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(stdout).not.toContain('hook-of-the-owner');
  });

  test('sends just the kinds that are named, and ends with 0 where all are taken', async () => {
    await using server = await httpServer((_, response) => void response.writeHead(200).end());
    const env = { SHAREDCLOUD_NOTIFY_WEBHOOK: server.url };
    expect((await runLine(['notify', 'test', '--kind', 'no-jobs'], env)).exit).toBe(0);
    expect(server.seen).toHaveLength(1);
  });

  test('without a target says which options name one', async () => {
    const { exit, stderr } = await runLine(['notify', 'test', '--json']);
    expect(exit).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  });
});

describe('check', () => {
  test('has a line about targets where there are some, and warns of one that cannot work', async () => {
    const { config } = await load();
    expect(checkNotifications(config, Date.now)).toEqual([]);
    const secretFile = join(scratchDir(), 'secret');
    const signed = { ...config, notifyWebhook: 'https://example.org/x', notifyWebhookSecretFile: secretFile };
    expect(checkNotifications(signed, Date.now)).toMatchObject([{ level: 'warn' }]);
    writeFileSync(secretFile, 'hush-hush', { mode: 0o600 });
    const [line] = checkNotifications({ ...signed, notifyCommand: 'sh' }, Date.now);
    expect(line).toMatchObject({ level: 'ok' });
    expect(line?.found).toContain('https://example.org/…');
    expect(checkNotifications({ ...config, notifyCommand: secretFile }, Date.now)).toMatchObject([
      { level: 'warn' },
    ]);
  });
});

test('kinds are all, those that are named, and no daily summary where that is off', async () => {
  const { config } = await load();
  expect(wantedNotifications(config)).toEqual(NOTIFICATION_KINDS);
  expect(wantedNotifications({ ...config, notifyEvents: ['disk-low'] })).toEqual(['disk-low']);
  expect(wantedNotifications({ ...config, notifyDailyAt: 'off' })).not.toContain('daily-summary');
});

test('a dry run notifies nobody', async () => {
  const loaded = await load({
    env: {
      SHAREDCLOUD_NOTIFY_WEBHOOK: 'https://example.org/x',
      SHAREDCLOUD_NOTIFY_NTFY: 'https://example.org/topic',
      SHAREDCLOUD_NOTIFY_COMMAND: 'true',
    },
  });
  expect(notificationTargets(loaded.config, { now: Date.now })).toHaveLength(3);
  const scenario = {
    images: ['*'],
    market: { url: 'http://127.0.0.1:1', token: 'x' },
    offer: 'cpu',
  } as const;
  const config = configFor({ loaded, scenario, workDir: '/tmp' }, { askPrice: 1, jobTimeout: 1 });
  expect(notificationTargets(config, { now: Date.now })).toEqual([]);
});
