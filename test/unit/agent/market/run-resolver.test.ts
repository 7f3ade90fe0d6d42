import { describe, expect, test } from 'vitest';
import { RunResolver } from '../../../../src/agent/market/run-resolver.ts';
import type { Broker } from '../../../../src/domain/ports/broker.ts';
import type { Run } from '../../../../src/domain/run.ts';
import { aFunction, anImage, aRun } from '../../../support/domain.ts';
import { logInto } from '../../../support/log/log-into.ts';

const HOUR_MS = 3_600_000;

/** A look-up of one run, at a broker of which a test may change what it knows. */
function lookingUp(knows: Partial<Pick<Broker, 'function' | 'image'>>, run: Run = aRun()) {
  let now = 0;
  let drained = Promise.withResolvers<void>();
  const log: string[] = [];
  const asked: number[] = [];
  const broker = {
    function: () => Promise.resolve(aFunction()),
    image: () => Promise.resolve(anImage()),
    ...knows,
  };
  const lookup = new RunResolver({
    broker: {
      function: (uuid, signal) => {
        asked.push(now);
        return broker.function(uuid, signal);
      },
      image: (uuid, signal) => broker.image(uuid, signal),
    },
    clock: { now: () => now, monotonic: () => now },
    log: logInto(log),
    random: () => 0.5,
    signal: new AbortController().signal,
    onChange: () => drained.resolve(),
  });
  return {
    lookup,
    broker,
    asked,
    log,
    /** Looks it up, where the time for that has come, until that is over. */
    look: async (): Promise<void> => {
      drained = Promise.withResolvers();
      if (lookup.resolve(run)) await drained.promise;
    },
    pass: (ms: number): void => void (now += ms),
    now: () => now,
    found: () => lookup.open(run).function !== undefined,
  };
}

const gone = (): Promise<undefined> => Promise.resolve(undefined);

describe('a run whose function or image the broker does not know', () => {
  test.each<[string, Partial<Pick<Broker, 'function' | 'image'>>]>([
    ['function', { function: gone }],
    ['image', { image: gone }],
  ])('is looked up again after a 404 for its %s: a gateway may have said that', async (_, knows) => {
    const { broker, found, look, lookup, pass } = lookingUp(knows);
    await look();
    expect(lookup.invalid('run-1')).toBe(false);
    expect(found()).toBe(false);
    Object.assign(broker, {
      function: () => Promise.resolve(aFunction()),
      image: () => Promise.resolve(anImage()),
    });
    await look();
    expect(found()).toBe(false);
    pass(lookup.nextRetryAt);
    await look();
    expect(found()).toBe(true);
  });

  test('is asked about less and less often, told once, and nobody waits for it', async () => {
    const { asked, log, look, lookup, now, pass } = lookingUp({ function: gone });
    while (now() < HOUR_MS) {
      await look();
      expect(lookup.busy).toBe(false);
      pass(lookup.nextRetryAt - now());
    }
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThan(20);
    expect(log.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1);
    expect(log[0]).toContain('does not know its function function-1');
  });
});

test('a run whose parameters cannot be read is left alone for good', async () => {
  const { asked, look, lookup, pass } = lookingUp({}, aRun({ parameters: 'oops(' }));
  await look();
  expect(lookup.invalid('run-1')).toBe(true);
  pass(HOUR_MS);
  await look();
  expect(asked).toHaveLength(1);
});
