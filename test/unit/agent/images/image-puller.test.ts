import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { ImagePuller } from '../../../../src/agent/images/image-puller.ts';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';
import type { ReadyImage } from '../../../../src/domain/ports/runtime.ts';
import { aborted } from '../../../../src/lib/deadline.ts';

const REF = 'sharedcloud/python3:latest';

/** A puller of which a test decides how each pull ends. */
function pulling() {
  let now = 0;
  const pulls: PromiseWithResolvers<ReadyImage>[] = [];
  const events: AgentEvent[] = [];
  const images = {
    find: () => Promise.resolve(undefined),
    prepare: () => {
      const pull = Promise.withResolvers<ReadyImage>();
      pulls.push(pull);
      return pull.promise;
    },
  };
  const puller = new ImagePuller({
    images,
    clock: { monotonic: () => now },
    random: () => 1,
    observe: (event) => void events.push(event),
    signal: new AbortController().signal,
  });
  const changed = (): Promise<void> => aborted(puller.changed.next);
  return {
    puller,
    pulls,
    events,
    pass: (ms: number): void => void (now += ms),
    succeed: async (): Promise<void> => {
      const over = changed();
      puller.pull(REF);
      pulls.at(-1)?.resolve({ ref: REF, id: 'sha256:1', sizeBytes: 1 });
      await over;
    },
    fail: async (code: ErrorCode, retryAfterMs?: number): Promise<number> => {
      const over = changed();
      puller.pull(REF);
      pulls
        .at(-1)
        ?.reject(new AgentError(code, 'it failed', retryAfterMs === undefined ? {} : { retryAfterMs }));
      await over;
      return puller.nextRetryAt - now;
    },
  };
}

describe('an image', () => {
  test('is pulled once however often it is wanted, and then ready until it is forgotten', async () => {
    const { events, puller, pulls, succeed } = pulling();
    puller.pull(REF);
    expect([puller.state(REF), puller.busy]).toEqual(['missing', true]);
    await succeed();
    expect([puller.state(REF), puller.busy, pulls.length]).toEqual(['ready', false, 1]);
    expect(events).toMatchObject([{ kind: 'image-ready', image: REF }]);
    puller.forget(REF);
    expect(puller.state(REF)).toBe('missing');
  });

  test('that could not be pulled is left alone ever longer, up to ten minutes', async () => {
    const { fail, pass, puller, pulls } = pulling();
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      waits.push(await fail('IMAGE_PULL_FAILED'));
      expect(puller.state(REF)).toBe('failed');
      puller.pull(REF);
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
    const { fail, pass, puller, pulls, succeed } = pulling();
    const waitMs = await fail('REGISTRY_RATE_LIMITED', 60_000);
    expect(puller.state('sharedcloud/other')).toBe('failed');
    expect(puller.state('quay.io/sharedcloud/other')).toBe('missing');
    puller.pull('sharedcloud/other');
    expect(pulls).toHaveLength(1);
    pass(waitMs);
    expect(puller.state('sharedcloud/other')).toBe('missing');
    await succeed();
    expect(puller.state('sharedcloud/other')).toBe('missing');
  });
});
