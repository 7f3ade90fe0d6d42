import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../src/lib/listen.ts';

test('what cannot be listened on is thrown, and what fails later ends no process', async () => {
  const [server, other] = [createServer(), createServer()];
  await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await expect(listen(other, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  for (const code of ['ENFILE', 'ENOBUFS'])
    expect(() => server.emit('error', Object.assign(new Error(code), { code }))).not.toThrow();
  expect(server.listening).toBe(true);
});
