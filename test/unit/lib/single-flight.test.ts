import { describe, expect, test } from 'vitest';
import { SingleFlight } from '../../../src/lib/single-flight.ts';

describe('a single flight', () => {
  test('runs once for all who ask while it runs, and again afterwards', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      await Promise.resolve();
      return runs;
    };
    expect(await Promise.all([flights.run('a', work), flights.run('a', work)])).toEqual([1, 1]);
    expect(await flights.run('a', work)).toBe(2);
  });

  test('is shared by key', async () => {
    const flights = new SingleFlight<string>();
    const outcomes = [flights.run('a', async () => 'a'), flights.run('b', async () => 'b')];
    expect([flights.has('a'), flights.has('c'), flights.size]).toEqual([true, false, 2]);
    expect(await flights.oldest).toBe('a');
    expect(await Promise.all(outcomes)).toEqual(['a', 'b']);
    expect([flights.has('a'), flights.size, flights.oldest]).toEqual([false, 0, undefined]);
  });

  test('goes on while anyone waits, and is aborted when the last one leaves', async () => {
    const flights = new SingleFlight<string>();
    const stopped = Promise.withResolvers<string>();
    const work = (signal: AbortSignal): Promise<string> => {
      signal.addEventListener('abort', () => stopped.resolve('stopped'));
      return stopped.promise;
    };
    const first = new AbortController();
    const second = new AbortController();
    const outcomes = [flights.run('a', work, first.signal), flights.run('a', work, second.signal)];
    first.abort(new Error('first left'));
    await expect(outcomes[0]).rejects.toThrow('first left');
    expect(await Promise.race([stopped.promise, Promise.resolve('goes on')])).toBe('goes on');
    second.abort(new Error('second left'));
    await expect(outcomes[1]).rejects.toThrow('second left');
    expect(await stopped.promise).toBe('stopped');
  });

  test('that is being aborted is not joined', async () => {
    const flights = new SingleFlight<string>();
    const leaving = new AbortController();
    const left = flights.run('a', () => new Promise<string>(() => undefined), leaving.signal);
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(await flights.run('a', () => Promise.resolve('new'))).toBe('new');
  });

  test('fails for all who wait', async () => {
    const flights = new SingleFlight<string>();
    const work = (): Promise<string> => Promise.reject(new Error('broken'));
    const outcomes = await Promise.allSettled([flights.run('a', work), flights.run('a', work)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
