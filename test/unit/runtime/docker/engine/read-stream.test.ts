import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import { readStream } from '../../../../../src/runtime/docker/engine/read-stream.ts';

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

test('a stream that ends while it is asked whether its container still runs has ended, and was not cut', async () => {
  const stream = new PassThrough();
  const asked = Promise.withResolvers<void>();
  const ended = (signal: AbortSignal): Promise<boolean> => {
    asked.resolve();
    return never(signal);
  };
  const read = readStream({ open: async () => stream, ended }, () => undefined, AbortSignal.timeout(20_000));
  await asked.promise;
  stream.end();
  expect(await read).toBe('ended');
});

test('a stream that cannot be opened leaves nothing behind', async () => {
  let given: AbortSignal | undefined;
  const open = (signal: AbortSignal): Promise<never> => {
    given = signal;
    return Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'the engine is away'));
  };
  const read = readStream({ open, ended: async () => false }, () => undefined, new AbortController().signal);
  await expect(read).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' });
  expect(given?.aborted).toBe(true);
});
