import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { ImagePuller } from '../../../../src/agent/images/image-puller.ts';
import { ImageUses } from '../../../../src/agent/images/image-uses.ts';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';
import type { Images, ReadyImage } from '../../../../src/domain/ports/runtime.ts';

const REF = 'sharedcloud/python3:latest';

/** A puller of which a test decides how each pull ends. `here`: the images that this host has. */
function pulling(here: readonly string[] = []) {
  let now = 0;
  const pulls: { readonly ref: string; readonly end: PromiseWithResolvers<ReadyImage> }[] = [];
  const cancelled: string[] = [];
  const events: AgentEvent[] = [];
  const images: Images = {
    find: (ref) => Promise.resolve(here.includes(ref) ? ready(ref) : undefined),
    prepare: (ref, signal) => {
      const end = Promise.withResolvers<ReadyImage>();
      pulls.push({ ref, end });
      signal.addEventListener('abort', () => {
        cancelled.push(ref);
        end.reject(signal.reason);
      });
      return end.promise;
    },
  };
  const puller = new ImagePuller({
    images,
    uses: new ImageUses(),
    clock: { monotonic: () => now },
    random: () => 1,
    observe: (event) => void events.push(event),
    maxPulls: 2,
    signal: new AbortController().signal,
  });
  const want = async (...refs: readonly string[]): Promise<void> => {
    puller.want('offer', refs, 8);
    await settle();
  };
  return {
    puller,
    pulls,
    /** The images whose pulls were begun, in order. */
    begun: (): readonly string[] => pulls.map(({ ref }) => ref),
    cancelled,
    events,
    want,
    pass: (ms: number): void => void (now += ms),
    succeed: async (ref = REF): Promise<void> => {
      pulls.findLast((pull) => pull.ref === ref)?.end.resolve(ready(ref));
      await settle();
    },
    fail: async (code: ErrorCode, retryAfterMs?: number): Promise<number> => {
      await want(REF);
      const more = retryAfterMs === undefined ? {} : { retryAfterMs };
      pulls.at(-1)?.end.reject(new AgentError(code, 'it failed', more));
      await settle();
      return puller.nextRetryAt - now;
    },
  };
}

const ready = (ref: string): ReadyImage => ({ ref, id: 'sha256:1', sizeBytes: 1 });

/** Until all that has begun waits for a test. */
const settle = (): Promise<void> => setImmediate();

describe('an image whose containers cannot be started here', () => {
  test('counts as failed for a while, ever longer, whatever is pulled', async () => {
    const { events, pass, puller, succeed, want } = pulling();
    await want(REF);
    await succeed();
    const error = new AgentError('CONTAINER_UNSTARTABLE', 'the engine hangs');
    puller.block('sha256:1', error);
    expect(puller.state(REF)).toBe('failed');
    expect(puller.nextRetryAt).toBe(600_000);
    expect(events.at(-1)).toMatchObject({ kind: 'image-failed', image: REF, code: error.code });
    pass(600_000);
    expect(puller.state(REF)).toBe('ready');
    puller.block('sha256:1', error);
    expect(puller.nextRetryAt).toBe(600_000 + 1_200_000);
    puller.forget(REF);
    await want(REF);
    await succeed();
    expect(puller.state(REF)).toBe('failed');
  });

  test.each<ErrorCode>(['IMAGE_STORE_CORRUPT', 'IMAGE_STORE_FULL'])(
    'through the store of images of this host (%s) waits as its pulls do, half an hour at most',
    async (code) => {
      const { pass, puller, succeed, want } = pulling();
      await want(REF);
      await succeed();
      const minutes: number[] = [];
      for (let now = 0; minutes.length < 7; ) {
        puller.block('sha256:1', new AgentError(code, 'no space left on device'));
        const waitMs = puller.nextRetryAt - now;
        pass(waitMs);
        now += waitMs;
        minutes.push(waitMs / 60_000);
      }
      expect(minutes).toEqual([1, 2, 4, 8, 16, 30, 30]);
    },
  );

  test('keeps no other image from being used', async () => {
    const { puller, succeed, want } = pulling();
    await want(REF);
    await succeed();
    puller.block('sha256:2', new AgentError('CONTAINER_UNSTARTABLE', 'the engine hangs'));
    expect(puller.state(REF)).toBe('ready');
  });
});

describe('an image', () => {
  test('is pulled once however often it is wanted, and then ready until it is forgotten', async () => {
    const { events, puller, pulls, succeed, want } = pulling();
    await want(REF);
    await want(REF, REF);
    expect([puller.state(REF), puller.busy]).toEqual(['missing', true]);
    await succeed();
    await want();
    expect([puller.state(REF), puller.busy, pulls.length]).toEqual(['ready', false, 1]);
    expect(events).toMatchObject([{ kind: 'image-ready', image: REF }]);
    puller.forget(REF);
    expect(puller.state(REF)).toBe('missing');
  });

  test('that could not be pulled is left alone ever longer, up to ten minutes', async () => {
    const { fail, pass, puller, pulls, want } = pulling();
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      waits.push(await fail('IMAGE_PULL_FAILED'));
      expect(puller.state(REF)).toBe('failed');
      await want(REF);
      expect(pulls).toHaveLength(n + 1);
      pass(waits[n] ?? 0);
    }
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(waits.at(-1)).toBe(600_000);
  });

  test.each<ErrorCode>([
    'IMAGE_NOT_FOUND',
    'IMAGE_REFUSED',
    'IMAGE_PLATFORM',
    'IMAGE_UNSUPPORTED',
    'REGISTRY_DENIED',
  ])(
    'that ends with %s is left alone for ten minutes at once, and start --once does not wait for it',
    async (code) => {
      const { events, fail, puller } = pulling();
      expect(await fail(code)).toBe(600_000);
      expect(puller.busy).toBe(false);
      expect(events).toMatchObject([{ kind: 'image-failed', image: REF, retryInMs: 600_000 }]);
    },
  );

  test('is waited for by start --once after three failures, and not after more', async () => {
    const { fail, pass, puller } = pulling();
    for (const busy of [true, true, true, false]) {
      pass(await fail('IMAGE_PULL_FAILED'));
      pass(-1);
      expect(puller.busy).toBe(busy);
      pass(1);
    }
  });

  test('of another platform is skipped for that reason while it is left alone', async () => {
    const { fail, pass, puller } = pulling();
    const waitMs = await fail('IMAGE_PLATFORM');
    expect(puller.state(REF)).toBe('wrong-platform');
    pass(waitMs);
    expect(puller.state(REF)).toBe('missing');
  });

  test.each<ErrorCode>(['REGISTRY_UNREACHABLE', 'REGISTRY_UNAVAILABLE', 'IMAGE_CORRUPT'])(
    'that ends with %s is pulled again soon',
    async (code) => {
      const { fail } = pulling();
      expect(await fail(code)).toBe(2_000);
    },
  );

  test.each<ErrorCode>(['IMAGE_STORE_CORRUPT', 'IMAGE_STORE_FULL'])(
    'that ends with %s is this host’s fault, which is an error with a hint',
    async (code) => {
      const { events, fail } = pulling();
      expect(await fail(code)).toBe(60_000);
      const hint: unknown = expect.any(String);
      expect(events).toMatchObject([{ kind: 'image-failed', code, hint, hostFault: true }]);
    },
  );

  test('is left alone for as long as its registry asks, and else for a quarter of an hour and more', async () => {
    const { fail, pass } = pulling();
    const asked = await fail('REGISTRY_RATE_LIMITED', 90_000);
    // Longer by chance, so that not all agents come back at once.
    expect(asked).toBeGreaterThanOrEqual(90_000);
    expect(asked).toBeLessThanOrEqual(99_000);
    pass(asked);
    const unknown = await fail('REGISTRY_RATE_LIMITED');
    expect(unknown).toBeGreaterThanOrEqual(900_000);
  });

  test('is not pulled while its registry limits pulls of another one', async () => {
    const { fail, pass, puller, pulls, succeed, want } = pulling();
    const waitMs = await fail('REGISTRY_RATE_LIMITED', 60_000);
    expect(puller.state('sharedcloud/other')).toBe('failed');
    expect(puller.state('quay.io/sharedcloud/other')).toBe('missing');
    await want('sharedcloud/other');
    expect(pulls).toHaveLength(1);
    pass(waitMs);
    expect(puller.state('sharedcloud/other')).toBe('missing');
    await want(REF);
    await succeed();
    expect(puller.state('sharedcloud/other')).toBe('missing');
  });
});

describe('the images of several runs', () => {
  test('are pulled two at a time, the best first, and a better one that comes later goes before those that wait', async () => {
    const { begun, cancelled, succeed, want } = pulling();
    await want('a', 'b', 'c', 'd');
    expect(begun()).toEqual(['a', 'b']);
    await want('best', 'a', 'b', 'c', 'd');
    expect(begun()).toEqual(['a', 'b']);
    await succeed('b');
    expect(begun()).toEqual(['a', 'b', 'best']);
    await want('best', 'a', 'd', 'c');
    await succeed('a');
    expect(begun()).toEqual(['a', 'b', 'best', 'd']);
    expect(cancelled).toEqual([]);
  });

  test('of several offers are pulled in turn, each offer’s best first', async () => {
    const { begun, puller, succeed } = pulling();
    puller.want('one', ['a', 'b', 'c'], 8);
    puller.want('two', ['d', 'c', 'e'], 8);
    await settle();
    expect(begun()).toEqual(['a', 'd']);
    await succeed('a');
    await succeed('d');
    expect(begun()).toEqual(['a', 'd', 'b', 'c']);
  });

  test('that are here wait for no pull of another', async () => {
    const { begun, succeed, want } = pulling(['here']);
    await want('a', 'b', 'c', 'here');
    expect(begun().toSorted()).toEqual(['a', 'b', 'here']);
    await succeed('here');
    expect(begun()).toHaveLength(3);
  });

  test('that are too many are not looked for before others are done', async () => {
    const { begun, puller, succeed } = pulling();
    puller.want('offer', ['a', 'b', 'c'], 1);
    await settle();
    expect(begun()).toEqual(['a']);
    await succeed('a');
    puller.want('offer', ['b', 'c'], 1);
    await settle();
    expect(begun()).toEqual(['a', 'b']);
  });
});

describe('an image whose runs are gone', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('is pulled for another 30 seconds, and then the pull is cancelled', async () => {
    const { cancelled, events, puller, want } = pulling();
    await want(REF);
    await want();
    await vi.advanceTimersByTimeAsync(29_999);
    expect(cancelled).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settle();
    expect(cancelled).toEqual([REF]);
    expect(events).toMatchObject([{ kind: 'image-pull-cancelled', image: REF }]);
    expect([puller.state(REF), puller.busy, vi.getTimerCount()]).toEqual(['missing', false, 0]);
  });

  test('is pulled on where another run needs it in time, or another offer does', async () => {
    const { cancelled, puller, want } = pulling();
    await want(REF);
    await want();
    await vi.advanceTimersByTimeAsync(20_000);
    await want(REF);
    await vi.advanceTimersByTimeAsync(20_000);
    puller.want('other', [REF], 8);
    await want();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cancelled).toEqual([]);
  });

  test('is pulled on where its run is not among the best any more', async () => {
    const { cancelled, puller, want } = pulling();
    await want(REF);
    puller.want('offer', ['better', REF], 1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cancelled).toEqual([]);
  });

  test('makes room at once for one that is needed', async () => {
    const { begun, cancelled, want } = pulling();
    await want('a', 'b');
    await want('b', 'c');
    expect(cancelled).toEqual(['a']);
    expect(begun()).toEqual(['a', 'b', 'c']);
    await want('b', 'c', 'd');
    expect(cancelled).toEqual(['a']);
    await want('c', 'd');
    expect(cancelled).toEqual(['a', 'b']);
    expect(begun()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('is not pulled at all where it still waited', async () => {
    const { begun, events, puller, succeed, want } = pulling();
    await want('a', 'b', 'c');
    await want('a', 'b');
    await succeed('a');
    await succeed('b');
    expect(begun()).toEqual(['a', 'b']);
    expect(events.map(({ kind }) => kind)).toEqual(['image-ready', 'image-ready']);
    expect(puller.busy).toBe(false);
  });

  test('can be pulled again right after', async () => {
    const { begun, succeed, puller, want } = pulling();
    await want(REF);
    await want();
    await vi.advanceTimersByTimeAsync(30_000);
    await settle();
    await want(REF);
    await succeed();
    expect([begun(), puller.state(REF)]).toEqual([[REF, REF], 'ready']);
  });
});

test('a pull goes on where another one meets a limit of its registry, and what waits does not begin', async () => {
  const { begun, cancelled, fail, puller, want } = pulling();
  await want('sharedcloud/other', REF, 'sharedcloud/third');
  await fail('REGISTRY_RATE_LIMITED', 60_000);
  expect([puller.state('sharedcloud/other'), puller.state('sharedcloud/third')]).toEqual([
    'missing',
    'failed',
  ]);
  await want('sharedcloud/other');
  expect(begun()).toEqual(['sharedcloud/other', REF]);
  expect(cancelled).toEqual([]);
});
