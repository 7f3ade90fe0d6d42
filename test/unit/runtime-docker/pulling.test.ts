import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../src/runtime/docker/json-lines.ts';
import { PullProgress } from '../../../src/runtime/docker/pull-progress.ts';
import { SharedWork } from '../../../src/runtime/docker/shared-work.ts';

describe('the progress of a pull', () => {
  const layer = (id: string, status: string, current?: number, total?: number): string =>
    JSON.stringify({ id, status, progressDetail: { current, total } });

  test('adds up its layers, whatever comes after their download', () => {
    const progress = new PullProgress();
    const lines = [
      layer('a', 'Pulling fs layer'),
      layer('a', 'Downloading', 10, 100),
      layer('b', 'Downloading', 5, 50),
      layer('a', 'Download complete'),
      layer('a', 'Extracting', 7, 100),
    ];
    expect(lines.map((line) => progress.take(line))).toEqual([true, true, true, true, true]);
    expect(progress.bytes).toEqual({ doneBytes: 105, totalBytes: 150 });
    expect(progress.error).toBeUndefined();
  });

  test('comes no further by repeating, waiting and trying again', () => {
    const progress = new PullProgress();
    progress.take(layer('a', 'Downloading', 10, 100));
    const idle = [
      layer('a', 'Downloading', 10, 100),
      layer('a', 'Waiting'),
      layer('a', 'Retrying in 5 seconds'),
      layer('a', 'Retrying in 4 seconds'),
      'no json',
      '[]',
      '{}',
    ];
    expect(idle.map((line) => progress.take(line))).toEqual(idle.map(() => false));
    expect(progress.take(layer('a', 'Downloading', 11, 100))).toBe(true);
  });

  test('keeps the error that the engine ends with', () => {
    const progress = new PullProgress();
    progress.take(JSON.stringify({ error: 'short', errorDetail: { message: 'in full' } }));
    expect(progress.error).toBe('in full');
  });
});

describe('lines', () => {
  const collect = async (...chunks: readonly (string | Uint8Array)[]): Promise<readonly string[]> => {
    const lines: string[] = [];
    const stream = (async function* () {
      yield* chunks;
    })();
    for await (const line of linesOf(stream)) lines.push(line);
    return lines;
  };

  test('are whole however they come', async () => {
    const bytes = Buffer.from('äb\r\n\ncd\ne');
    expect(await collect(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['äb\r', 'cd', 'e']);
    expect(await collect()).toEqual([]);
  });

  test('do not go on for ever', async () => {
    await expect(collect('x'.repeat(1_100_000))).rejects.toThrow('a line without an end');
  });
});

describe('work that is shared', () => {
  const never = (): AbortSignal => new AbortController().signal;

  test('runs once for all who ask while it runs, and anew afterwards', async () => {
    const shared = new SharedWork<number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      await Promise.resolve();
      return runs;
    };
    expect(await Promise.all([shared.run('a', never(), work), shared.run('a', never(), work)])).toEqual([
      1, 1,
    ]);
    expect(await shared.run('a', never(), work)).toBe(2);
  });

  test('goes on while anyone waits, and stops with the last', async () => {
    const shared = new SharedWork<string>();
    const stopped = Promise.withResolvers<string>();
    const work = (signal: AbortSignal): Promise<string> => {
      signal.addEventListener('abort', () => stopped.resolve('stopped'));
      return stopped.promise;
    };
    const first = new AbortController();
    const second = new AbortController();
    const outcomes = [shared.run('a', first.signal, work), shared.run('a', second.signal, work)];
    first.abort(new Error('first left'));
    await expect(outcomes[0]).rejects.toThrow('first left');
    expect(await Promise.race([stopped.promise, Promise.resolve('goes on')])).toBe('goes on');
    second.abort(new Error('second left'));
    await expect(outcomes[1]).rejects.toThrow('second left');
    expect(await stopped.promise).toBe('stopped');
  });

  test('that is being stopped is not joined', async () => {
    const shared = new SharedWork<string>();
    const leaving = new AbortController();
    const left = shared.run('a', leaving.signal, () => new Promise<string>(() => undefined));
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(await shared.run('a', never(), () => Promise.resolve('new'))).toBe('new');
  });

  test('fails for all who wait', async () => {
    const shared = new SharedWork<string>();
    const work = (): Promise<string> => Promise.reject(new Error('broken'));
    const outcomes = await Promise.allSettled([
      shared.run('a', never(), work),
      shared.run('a', never(), work),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
