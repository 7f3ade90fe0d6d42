import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NotificationMessage } from '../../../src/domain/ports/notifications.ts';
import { CommandHook } from '../../../src/notify/command-hook.ts';
import { Ntfy } from '../../../src/notify/ntfy.ts';
import { PAYLOAD } from '../../../src/notify/payload.ts';
import { signatureOf, Webhook } from '../../../src/notify/webhook.ts';
import { freePort } from '../../support/faults/listen.ts';
import { httpServer } from '../../support/faults/server.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const DIRECT = {
  httpProxy: undefined,
  httpsProxy: undefined,
  noProxy: [],
  sslCertFile: undefined,
  sslCertDir: undefined,
  nodeExtraCaCerts: undefined,
};
const SECRET = 'a-secret-of-the-test';
const NOW = Date.UTC(2026, 10, 27, 12);
const never = new AbortController().signal;

const message: NotificationMessage = {
  id: '7f2d8c52-1f0e-4d0a-9b83-6a1a0f5e1d11',
  at: NOW,
  kind: 'gpu-cordoned',
  state: 'problem',
  items: [{ key: 'GPU-1', name: 'GPU 0', why: 'zu heiß 🔥', hint: undefined, since: NOW, times: 1 }],
  host: 'rig1',
  title: 'rig1: GPU 0 takes no jobs',
  text: 'zu heiß 🔥',
  summary: undefined,
  isTest: false,
};

function secretFile(mode = 0o600, text = `${SECRET}\n`): string {
  const path = join(scratchDir(), 'secret');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function webhook(
  url: string,
  more: { readonly secretFile?: string; readonly httpProxy?: string } = {},
): Webhook {
  const { httpProxy, secretFile: file } = more;
  return new Webhook({ url, secretFile: file, http: { ...DIRECT, httpProxy }, now: () => NOW });
}

describe('a webhook', () => {
  test('gets documented JSON, signed as documented', async () => {
    await using server = await httpServer((_, response) => void response.writeHead(204).end());
    await webhook(`${server.url}/hook?a=b`, { secretFile: secretFile() }).send(message, never);
    const [{ body, headers, method, url } = { body: '', headers: {} }] = server.seen;
    expect([method, url]).toEqual(['POST', '/hook?a=b']);
    expect(PAYLOAD.parse(JSON.parse(body))).toMatchObject({
      schema: 1,
      at: '2026-11-27T12:00:00.000Z',
      items: [{ why: 'zu heiß 🔥', hint: null }],
      summary: null,
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-sharedcloud-id': message.id,
      'x-sharedcloud-timestamp': String(NOW / 1000),
      'x-sharedcloud-signature': signatureOf(SECRET, String(NOW / 1000), body),
    });
  });

  test.each([301, 302, 400, 401, 404, 500, 503])('that answers with %d has not taken it', async (status) => {
    await using server = await httpServer(
      (_, response) =>
        void response
          .writeHead(status, { 'retry-after': '7', location: '/elsewhere' })
          .end('x'.repeat(1_000_000)),
    );
    await expect(webhook(server.url).send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
      retryAfterMs: 7_000,
      hint: expect.any(String) as unknown,
    });
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    ['never ends', (response: ServerResponse) => response.flushHeaders()],
    ['breaks off', (response: ServerResponse) => response.write('x', () => response.destroy())],
  ])('whose answer of 200 %s has taken it', async (_, send) => {
    await using server = await httpServer((__, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      send(response);
    });
    await expect(webhook(server.url).send(message, never)).resolves.toBeUndefined();
  });

  test('is followed within its origin, and not to another one', async () => {
    await using other = await httpServer((_, response) => void response.writeHead(204).end());
    await using server = await httpServer(({ url }, response) => {
      const location = url === '/away' ? `${other.url}/` : '/new';
      response.writeHead(url === '/new' ? 200 : 308, { location }).end();
    });
    await webhook(`${server.url}/old`).send(message, never);
    expect(server.seen.map(({ body, url }) => [url, body !== ''])).toEqual([
      ['/old', true],
      ['/new', true],
    ]);
    await expect(webhook(`${server.url}/away`).send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
    });
    expect(other.seen).toEqual([]);
  });

  test('that redirects for ever fails', async () => {
    await using server = await httpServer(
      (_, response) => void response.writeHead(307, { location: '/again' }).end(),
    );
    await expect(webhook(server.url).send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
    });
    expect(server.seen.length).toBeLessThan(10);
  });

  test.each([
    ['an empty place', '', '307'],
    ['no place', 'http://[', '307'],
    ['a file', 'file:///etc/passwd', 'file:'],
    ['a text', 'data:,x', 'data:'],
  ])('that redirects to %s is sent to once, and the error says so', async (_, location, named) => {
    await using server = await httpServer((__, response) => void response.writeHead(307, { location }).end());
    await expect(webhook(server.url).send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
      message: expect.stringContaining(named) as unknown,
    });
    expect(server.seen).toHaveLength(1);
  });

  test('that is not there fails, and its path stays secret', async () => {
    const error: unknown = await webhook('http://127.0.0.1:1/secret-path?token=secret-token')
      .send(message, never)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'NOTIFICATION_FAILED' });
    expect(JSON.stringify([error, String(error)])).not.toContain('secret-');
    expect(webhook('http://127.0.0.1:1/secret-path').address).toBe('http://127.0.0.1:1/…');
  });

  test('is not waited for after the agent is asked to end', async () => {
    await using server = await httpServer(() => undefined);
    const end = new AbortController();
    const sent = webhook(server.url).send(message, end.signal);
    await server.connected;
    end.abort();
    await expect(sent).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' });
  });

  test('is reached through the proxy that the broker would be', async () => {
    await using proxy = await httpServer((_, response) => void response.writeHead(200).end());
    await webhook('http://hooks.example/x', { httpProxy: proxy.url }).send(message, never);
    expect(proxy.seen.map(({ headers, url }) => [url, headers.host])).toEqual([
      ['http://hooks.example/x', 'hooks.example'],
    ]);
  });

  test.each([
    ['is absent', () => join(scratchDir(), 'none')],
    ['others can read', () => secretFile(0o640)],
    ['is empty', () => secretFile(0o600, '\n')],
    ['has two words', () => secretFile(0o600, 'two words')],
  ])('is not sent anything where its secret file %s', async (_, path) => {
    await using server = await httpServer((__, response) => void response.writeHead(204).end());
    await expect(webhook(server.url, { secretFile: path() }).send(message, never)).rejects.toMatchObject({
      code: 'SECRET_FILE_UNUSABLE',
    });
    expect(server.seen).toEqual([]);
  });

  test('is received by the receiver of the documents', async () => {
    const [, program = ''] =
      /```python\n([\s\S]*?)```/.exec(readFileSync('docs/notifications.md', 'utf8')) ?? [];
    const port = await freePort();
    const file = secretFile();
    const receiver = spawn('python3', ['-c', program, file, String(port)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void receiver.kill());
    let printed = '';
    receiver.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const send = (path: string) =>
      new Webhook({
        url: `http://127.0.0.1:${port}/`,
        secretFile: path,
        http: DIRECT,
        now: () => Date.now(),
      }).send(message, never);
    await expect.poll(() => send(file).then(() => 'sent', String), { timeout: 10_000 }).toBe('sent');
    await expect(send(secretFile(0o600, 'another-secret'))).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
    });
    await expect.poll(() => printed).toBe(`${message.title}\n`);
  });
});

describe('a topic of ntfy', () => {
  test('gets title, text, priority and tags, with its token', async () => {
    await using server = await httpServer((_, response) => void response.writeHead(200).end('{}'));
    const url = `${server.url}/below/my-gpus`;
    await new Ntfy({ url, tokenFile: secretFile(), http: DIRECT }).send(message, never);
    await new Ntfy({ url, tokenFile: undefined, http: DIRECT }).send(
      { ...message, state: 'resolved' },
      never,
    );
    expect(
      server.seen.map(({ body, headers, url: path }) => [
        path,
        headers.authorization,
        JSON.parse(body) as unknown,
      ]),
    ).toEqual([
      [
        '/below/',
        `Bearer ${SECRET}`,
        { topic: 'my-gpus', title: message.title, message: message.text, priority: 4, tags: ['warning'] },
      ],
      ['/below/', undefined, expect.objectContaining({ priority: 3, tags: ['white_check_mark'] }) as unknown],
    ]);
  });
});

/** A program of the owner. */
function program(script: string): string {
  const path = join(scratchDir(), 'a program');
  writeFileSync(path, script, { mode: 0o700 });
  return path;
}

describe('a program', () => {
  test('gets the JSON on stdin and six variables, and no others of the agent', async () => {
    const out = join(scratchDir(), 'out');
    process.env['A_SECRET_OF_THE_AGENT'] = 'secret';
    onTestFinished(() => void delete process.env['A_SECRET_OF_THE_AGENT']);
    await new CommandHook(program(`#!/bin/sh\ncat >'${out}'\nenv >'${out}.env'\n`)).send(
      { ...message, title: '$(touch /tmp/never) `x` "y"' },
      never,
    );
    expect(PAYLOAD.parse(JSON.parse(readFileSync(out, 'utf8'))).title).toContain('$(touch');
    const variables = readFileSync(`${out}.env`, 'utf8');
    expect(variables).toContain('SHAREDCLOUD_NOTIFY_TITLE=$(touch /tmp/never) `x` "y"\n');
    expect(variables.match(/^SHAREDCLOUD_\w+/gm)?.toSorted()).toEqual([
      'SHAREDCLOUD_NOTIFY_ID',
      'SHAREDCLOUD_NOTIFY_KIND',
      'SHAREDCLOUD_NOTIFY_STATE',
      'SHAREDCLOUD_NOTIFY_TEST',
      'SHAREDCLOUD_NOTIFY_TEXT',
      'SHAREDCLOUD_NOTIFY_TITLE',
    ]);
    expect(variables).not.toContain('A_SECRET_OF_THE_AGENT');
  });

  test.each([
    ['fails', '#!/bin/sh\necho "not today" >&2\nexit 3\n'],
    ['prints without end', '#!/bin/sh\ncat /dev/zero\n'],
    ['hangs', '#!/bin/sh\nsleep 1000\n'],
    ['closes its input and fails', '#!/bin/sh\nexec <&-\nexit 1\n'],
  ])('that %s has not taken it', async (_, script) => {
    await expect(new CommandHook(program(script), 500).send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
    });
  });

  test('that ends with 0 has taken it, though what it left running holds its output', async () => {
    const pid = join(scratchDir(), 'pid');
    onTestFinished(() => void process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL'));
    const script = `#!/bin/sh\nsleep 1000 &\necho $! >'${pid}'\n`;
    await expect(new CommandHook(program(script), 10_000).send(message, never)).resolves.toBeUndefined();
  });

  test('that is not there is named', async () => {
    await expect(new CommandHook('/nowhere/program').send(message, never)).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
    });
  });
});
