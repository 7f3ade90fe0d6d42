import { describe, expect, test } from 'vitest';
import { type LookUps, resolveRun } from '../../../../src/agent/market/resolve-run.ts';
import { RunResolver } from '../../../../src/agent/market/run-resolver.ts';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';
import type { Run } from '../../../../src/domain/run.ts';
import { aFunction, anImage, aRun } from '../../../support/domain.ts';
import { logInto } from '../../../support/log/log-into.ts';

const HOUR_MS = 3_600_000;

/** A resolver at a broker of which a test may change what it knows. */
function resolving(knows: Partial<LookUps> = {}) {
  let now = 0;
  const log: string[] = [];
  const asked: string[] = [];
  const broker: LookUps = {
    function: () => Promise.resolve(aFunction()),
    image: () => Promise.resolve(anImage()),
    ...knows,
  };
  const resolver = new RunResolver({
    functionCode: {
      find: (uuid, signal) => {
        asked.push(`function ${uuid}`);
        return broker.function(uuid, signal);
      },
    },
    broker: {
      image: (uuid, signal) => {
        asked.push(`image ${uuid}`);
        return broker.image(uuid, signal);
      },
    },
    clock: { monotonic: () => now },
    log: logInto(log),
    random: () => 0.5,
    signal: new AbortController().signal,
  });
  return {
    resolver,
    broker,
    asked,
    log,
    /** Resolves the runs whose time has come, until that is over. */
    look: async (...runs: readonly Run[]): Promise<void> => {
      const begun = runs.filter((run) => resolver.resolve(run));
      if (begun.length === 0) return;
      const over = Promise.withResolvers<void>();
      let settled = 0;
      resolver.changed.subscribe(() => {
        settled += 1;
        if (settled === begun.length) over.resolve();
      });
      await over.promise;
    },
    pass: (ms: number): void => void (now += ms),
    now: () => now,
    isFound: (run: Run = aRun()): boolean => resolver.open(run).function !== undefined,
  };
}

const unknown = (): Promise<undefined> => Promise.resolve(undefined);
const failing = (code: ErrorCode) => (): Promise<never> => Promise.reject(new AgentError(code, 'it failed'));

describe('a run whose function or image the broker does not know', () => {
  test.each<[string, Partial<LookUps>]>([
    ['function', { function: unknown }],
    ['image', { image: unknown }],
  ])('is resolved again after a 404 for its %s: a gateway may have said that', async (_, knows) => {
    const { broker, isFound, look, pass, resolver } = resolving(knows);
    await look(aRun());
    expect(resolver.invalid('run-1')).toBe(false);
    Object.assign(broker, {
      function: () => Promise.resolve(aFunction()),
      image: () => Promise.resolve(anImage()),
    });
    await look(aRun());
    expect(isFound()).toBe(false);
    pass(resolver.nextRetryAt);
    await look(aRun());
    expect(isFound()).toBe(true);
  });

  test('is asked about less and less often, warned of once, and not waited for', async () => {
    const { asked, log, look, now, pass, resolver } = resolving({ function: unknown });
    while (now() < HOUR_MS) {
      await look(aRun());
      expect(resolver.busy).toBe(false);
      pass(resolver.nextRetryAt - now());
    }
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThan(20);
    const lines = log.map((line): unknown => JSON.parse(line));
    expect(lines[0]).toMatchObject({ level: 'warn', event: 'run-lookup-failed', code: 'BROKER_NOT_FOUND' });
    expect(log.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1);
  });
});

describe('a run whose look-up fails', () => {
  test.each<ErrorCode>(['BROKER_BAD_ANSWER', 'BROKER_NOT_JSON', 'BROKER_UNAVAILABLE', 'BROKER_UNREACHABLE'])(
    'by %s is looked up again within half a second, and waited for',
    async (code) => {
      const { broker, isFound, look, pass, resolver } = resolving({ image: failing(code) });
      await look(aRun());
      expect(resolver.busy).toBe(true);
      expect(resolver.nextRetryAt).toBeLessThanOrEqual(500);
      pass(resolver.nextRetryAt);
      broker.image = () => Promise.resolve(anImage());
      await look(aRun());
      expect(isFound()).toBe(true);
    },
  );

  test('again and again is looked up a minute apart at most, and not waited for in the end', async () => {
    const { asked, look, now, pass, resolver } = resolving({ function: failing('BROKER_BAD_ANSWER') });
    while (now() < HOUR_MS) {
      await look(aRun());
      expect(resolver.nextRetryAt - now()).toBeLessThanOrEqual(60_000);
      expect(resolver.busy).toBe(asked.length <= 5);
      pass(resolver.nextRetryAt - now());
    }
    expect(asked.length).toBeLessThan(100);
  });
});

test('a run that failed because the token was refused waits a minute, or until there is a new one', async () => {
  const { broker, isFound, look, resolver } = resolving({ function: failing('BROKER_UNAUTHORIZED') });
  await look(aRun());
  expect(resolver.nextRetryAt).toBe(60_000);
  broker.function = () => Promise.resolve(aFunction());
  resolver.retryNow();
  await look(aRun());
  expect(isFound()).toBe(true);
});

test('a run whose function cannot be run is left alone for good', async () => {
  const { asked, look, pass, resolver } = resolving({ function: failing('FUNCTION_INVALID') });
  const run = aRun();
  await look(run);
  expect(resolver.invalid('run-1')).toBe(true);
  pass(HOUR_MS);
  await look(run);
  expect(asked).toHaveLength(1);
});

describe('a run whose function has changed', () => {
  test('once is resolved again at once, however many slots have seen it', async () => {
    const { isFound, look, resolver } = resolving();
    await look(aRun());
    for (let slot = 0; slot < 4; slot += 1) resolver.resolveAgain('run-1');
    expect(isFound()).toBe(false);
    await look(aRun());
    expect(isFound()).toBe(true);
  });

  test('each time is resolved again less and less often, and warned of once', async () => {
    const { asked, log, look, now, pass, resolver } = resolving();
    while (now() < HOUR_MS) {
      await look(aRun());
      resolver.resolveAgain('run-1');
      if (resolver.nextRetryAt === Infinity) continue;
      expect(resolver.resolve(aRun())).toBe(false);
      pass(resolver.nextRetryAt - now());
    }
    expect(asked.length).toBeLessThan(150);
    expect(log.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1);
    resolver.unchanged('run-1');
    await look(aRun());
    resolver.resolveAgain('run-1');
    expect(resolver.nextRetryAt).toBe(Infinity);
  });
});

describe('what several offers resolve', () => {
  test('is looked up once, and all of them are notified', async () => {
    const { asked, resolver } = resolving();
    const offers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const { resolve } of offers) resolver.changed.subscribe(resolve);
    expect([resolver.resolve(aRun()), resolver.resolve(aRun())]).toEqual([true, true]);
    await Promise.all(offers.map(({ promise }) => promise));
    expect(resolver.resolve(aRun())).toBe(false);
    expect(asked).toEqual(['function function-1', 'image image-1']);
  });

  test('is remembered until it has left the market of each', async () => {
    const { isFound, look, resolver } = resolving();
    resolver.retain('a', new Set(['run-1']));
    await look(aRun());
    resolver.retain('b', new Set(['run-1']));
    resolver.retain('a', new Set());
    expect(isFound()).toBe(true);
    resolver.retain('b', new Set());
    expect(isFound()).toBe(false);
  });

  test('asks once for the image of several runs, also at the same time', async () => {
    const { asked, isFound, look } = resolving();
    const runs = ['run-1', 'run-2', 'run-3'].map((uuid) => aRun({ uuid }));
    await look(...runs);
    expect(runs.every(isFound)).toBe(true);
    expect(asked.filter((call) => call === 'image image-1')).toHaveLength(1);
    await look(aRun({ uuid: 'run-4' }));
    expect(asked.filter((call) => call === 'image image-1')).toHaveLength(1);
  });

  test('asks again for an image that could not be had', async () => {
    const { asked, broker, isFound, look, pass, resolver } = resolving({
      image: failing('BROKER_BAD_ANSWER'),
    });
    await look(aRun());
    broker.image = () => Promise.resolve(anImage());
    pass(resolver.nextRetryAt);
    await look(aRun());
    expect(isFound()).toBe(true);
    expect(asked.filter((call) => call === 'image image-1')).toHaveLength(2);
  });
});

describe('one run, resolved without state', () => {
  const signal = new AbortController().signal;
  const broker: LookUps = { function: async () => aFunction(), image: async () => anImage() };

  test('names function and image, or says that the function cannot be run', async () => {
    const image = anImage();
    expect(await resolveRun(broker, aRun(), signal)).toEqual({
      kind: 'resolved',
      function: aFunction(),
      image,
    });
    const invalid = await resolveRun({ ...broker, function: failing('FUNCTION_INVALID') }, aRun(), signal);
    expect(invalid).toMatchObject({ kind: 'invalid' });
  });
});
