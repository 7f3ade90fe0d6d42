import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import { readStream } from '../../../../../src/runtime/docker/output/read-stream.ts';

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

test('reports a stream that ends during the check of its container as ended, not as cut', async () => {
  const stream = new PassThrough();
  const asked = Promise.withResolvers<void>();
  const hasExited = (signal: AbortSignal): Promise<boolean> => {
    asked.resolve();
    return never(signal);
  };
  const source = { open: async () => stream, hasExited };
  const read = readStream(source, () => undefined, AbortSignal.timeout(20_000), 5);
  await asked.promise;
  stream.end();
  expect(await read).toBe('ended');
});

test('aborts its signal if the stream cannot be opened', async () => {
  let given: AbortSignal | undefined;
  const open = (signal: AbortSignal): Promise<never> => {
    given = signal;
    return Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'the engine is unreachable'));
  };
  const read = readStream(
    { open, hasExited: async () => false },
    () => undefined,
    new AbortController().signal,
  );
  await expect(read).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' });
  expect(given?.aborted).toBe(true);
});
