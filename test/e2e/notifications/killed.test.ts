import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONDITION_KINDS } from '../../../src/domain/notification-kinds.ts';
import { readJournal } from '../../../src/journal/open-journal.ts';
import { PAYLOAD } from '../../../src/notify/payload.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { openScenario } from '../../support/e2e/scenario.ts';
import { eventually } from '../../support/e2e/two-gpus.ts';
import { close, freePort, listen } from '../../support/faults/listen.ts';
import { withJournal } from '../../support/journal/scratch.ts';

const SECRET = 'a-secret-of-the-webhook';

test('a message outlives agents that are killed while the webhook is down, and comes once', async () => {
  const port = await freePort();
  await using scenario = await openScenario('unix:///nonexistent/docker.sock', {
    SHAREDCLOUD_CPU_SLOTS: '1',
    SHAREDCLOUD_MIN_FREE_DISK: '100 TB',
    SHAREDCLOUD_NOTIFY_WEBHOOK: `http://127.0.0.1:${port}/hook-of-the-test`,
  });
  const { directory, env, url } = scenario;
  const secretFile = join(directory, 'webhook-secret');
  writeFileSync(secretFile, SECRET, { mode: 0o600 });
  const signed = { ...env, SHAREDCLOUD_NOTIFY_WEBHOOK_SECRET_FILE: secretFile };
  seedDiskLow(env.SHAREDCLOUD_STATE_DIR, url);

  const first = new AgentProcess(['start'], signed);
  await first.untilLogged({ event: 'notification-failed', target: 'webhook' });
  await first[Symbol.asyncDispose]();
  expect(first.said).not.toContain('hook-of-the-test');

  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const stamp = String(request.headers['x-sharedcloud-timestamp']);
      const hmac = createHmac('sha256', SECRET).update(`${stamp}.${body}`).digest('hex');
      const isOurs = request.headers['x-sharedcloud-signature'] === `v1=${hmac}`;
      if (isOurs) bodies.push(body);
      response.writeHead(isOurs ? 204 : 401).end();
    });
  });
  await listen(server, port);
  const second = new AgentProcess(['start'], signed);
  await eventually(() => expect(queued(env.SHAREDCLOUD_STATE_DIR)).toBe(0));
  await second.untilLogged({ event: 'claiming-paused' });
  await second[Symbol.asyncDispose]();

  const third = new AgentProcess(['start'], signed);
  await third.untilLogged({ event: 'claiming-paused' });
  await third[Symbol.asyncDispose]();
  expect(queued(env.SHAREDCLOUD_STATE_DIR)).toBe(0);
  await close(server);
  expect(bodies.map((body) => PAYLOAD.parse(JSON.parse(body)))).toMatchObject([
    { kind: 'disk-low', state: 'problem', test: false },
  ]);
});

/** The journal of an agent that has seen for a while that its disk is full. */
function seedDiskLow(stateDir: string, broker: string): void {
  mkdirSync(stateDir, { mode: 0o700 });
  const condition = {
    kind: 'disk-low',
    item: { key: 'host', name: 'this host', why: 'little disk', hint: undefined },
    isOn: true,
    isNotified: false,
    since: Date.now(),
    lastedMs: 2 * CONDITION_KINDS['disk-low'].graceMs,
    counts: true,
    unseenMs: 0,
    isRestored: false,
    times: 1,
    sentAt: [],
  } as const;
  const state = { conditions: [condition], incidents: [], sent: [] };
  withJournal(
    stateDir,
    (journal) => journal.notifications.save({ state, lastSummary: undefined }, []),
    new URL(broker).href,
  );
}

function queued(stateDir: string): number {
  const journal = readJournal(stateDir);
  if (journal === undefined) throw new Error('there is no journal');
  try {
    return journal.notifications.load().queue.length;
  } finally {
    journal.close();
  }
}
