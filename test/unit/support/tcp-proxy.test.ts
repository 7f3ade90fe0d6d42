import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpServer } from '../../support/faults/server.ts';
import { type ConnectionFault, type NetworkCondition, TcpProxy } from '../../support/faults/tcp-proxy.ts';

const REQUEST = 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

async function target(): Promise<string> {
  const server = await httpServer((_, response) => response.end('hello'));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server.url;
}

/** Opens a connection to the proxy; `answer` is all that comes over it, or the code of its error. */
function dial({ url }: TcpProxy) {
  const { pathname, port, protocol } = new URL(url);
  const socket = connect(
    protocol === 'unix:' ? { path: pathname } : { host: '127.0.0.1', port: Number(port) },
  );
  onTestFinished(() => void socket.destroy());
  const answer = text(socket).then(
    (all) => all,
    (error: NodeJS.ErrnoException) => error.code,
  );
  return { socket, answer, ask: () => void socket.write(REQUEST) };
}

describe.each(['TCP', 'Unix'])('a proxy at a %s socket', (kind) => {
  const open = async (): Promise<TcpProxy> =>
    kind === 'TCP' ? TcpProxy.open(await target()) : TcpProxy.openUnix(await target());

  test('passes on what is asked and answered', async () => {
    await using proxy = await open();
    const { ask, answer } = dial(proxy);
    ask();
    expect(await answer).toContain('hello');
  });

  test.each<[NetworkCondition, string | RegExp]>([
    ['refuse', /ECONNREFUSED|ENOENT/],
    ['reset', /ECONNRESET|EPIPE|^$/],
  ])('answers %s with an error, and passes on again after that', async (condition, code) => {
    await using proxy = await open();
    await proxy.set(condition);
    const { ask, answer } = dial(proxy);
    ask();
    expect(await answer).toMatch(code);
    await proxy.set('pass');
    const again = dial(proxy);
    again.ask();
    expect(await again.answer).toContain('hello');
  });

  test('swallows what is sent into a black hole', async () => {
    await using proxy = await open();
    await proxy.set('blackhole');
    const { ask } = dial(proxy);
    ask();
    await expect.poll(() => proxy.swallowed).toBe(REQUEST.length);
  });

  test('leaves open connections as they are where only new ones are refused', async () => {
    await using proxy = await open();
    const before = dial(proxy);
    await once(before.socket, 'connect');
    await proxy.setForNew('refuse');
    expect(await dial(proxy).answer).toMatch(/ECONNREFUSED|ENOENT/);
    before.ask();
    expect(await before.answer).toContain('hello');
  });

  test.each<[ConnectionFault, string]>([
    ['lose-answer', ''],
    [{ answer: 'no' }, 'no'],
    ['pass', 'hello'],
  ])('does %j to one connection', async (fault, expected) => {
    await using proxy = await open();
    const lines: string[] = [];
    proxy.plan = (line) => {
      lines.push(line);
      return fault;
    };
    const { ask, answer } = dial(proxy);
    ask();
    expect(await answer).toContain(expected);
    expect(lines).toEqual(['GET /x HTTP/1.1']);
  });

  test('holds answers up until they are released', async () => {
    await using proxy = await open();
    proxy.holdAfter(1);
    const { ask, answer } = dial(proxy);
    ask();
    await expect.poll(() => proxy.isHeld).toBe(true);
    proxy.release();
    expect(await answer).toContain('hello');
  });
});
