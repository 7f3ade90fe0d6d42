import { describe, expect, test } from 'vitest';
import { StartAttribution } from '../../../../src/agent/jobs/start-attribution.ts';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';

const LIKE = { gpu: null, network: 'none' } as const;

/** An attribution, and what it asked of the others. */
function attributing(passes: boolean | 'fails' = true, answers = true) {
  const tests: unknown[] = [];
  const blocked: string[] = [];
  const starts = new StartAttribution({
    runtime: { ping: () => (answers ? Promise.resolve() : Promise.reject(new Error('no answer'))) },
    testContainer: (like) => {
      tests.push(like);
      return passes === 'fails' ? Promise.reject(new Error('no')) : Promise.resolve(passes);
    },
    blockImage: (image) => void blocked.push(image),
  });
  /** Tries to start a container whose attempts end so, one after the other. */
  const outcome = async (...ends: readonly (ErrorCode | 'started')[]): Promise<string> => {
    let attempt = 0;
    const start = (): Promise<string> => {
      const end = ends[attempt] ?? 'INTERNAL';
      attempt += 1;
      return end === 'started'
        ? Promise.resolve('started')
        : Promise.reject(new AgentError(end, 'it failed'));
    };
    return starts
      .try('image-1', LIKE, new AbortController().signal, start)
      .catch((thrown: unknown) => (thrown instanceof AgentError ? thrown.code : 'another error'));
  };
  return { blocked, outcome, starts, tests };
}

describe('a container that does not start for an unknown reason', () => {
  test('twice, while a test container like it starts, has an image at fault, which is left alone for a while', async () => {
    const { blocked, outcome, tests } = attributing();
    expect(await outcome('RUNTIME_FAILED', 'RUNTIME_FAILED')).toBe('CONTAINER_UNSTARTABLE');
    expect([tests, blocked]).toEqual([[LIKE], ['image-1']]);
  });

  test('once, and then does, is started', async () => {
    expect(await attributing().outcome('RUNTIME_FAILED', 'started')).toBe('started');
  });

  test.each([
    ['no test container starts', 'fails' as const],
    ['there is no test container', false],
  ])('is a fault of the host where %s', async (_, passes) => {
    expect(await attributing(passes).outcome('RUNTIME_FAILED')).toBe('RUNTIME_FAILED');
  });

  test('is a fault of the host where the image has started before', async () => {
    const { outcome, starts, tests } = attributing();
    starts.started('image-1', LIKE);
    expect(await outcome('RUNTIME_FAILED')).toBe('RUNTIME_FAILED');
    expect(tests).toEqual([]);
  });

  test('because the engine hangs, has an image at fault, which is left alone for a while', async () => {
    const { blocked, outcome } = attributing();
    expect(await outcome('RUNTIME_UNAVAILABLE', 'RUNTIME_UNAVAILABLE')).toBe('CONTAINER_UNSTARTABLE');
    expect(blocked).toEqual(['image-1']);
  });

  test('because the engine is unreachable, is a fault of the host', async () => {
    const { outcome, tests } = attributing(true, false);
    expect(await outcome('RUNTIME_UNAVAILABLE')).toBe('RUNTIME_UNAVAILABLE');
    expect(tests).toEqual([]);
  });
});

test('an image is at fault that cannot be given a GPU three times, with test containers in between', async () => {
  const { outcome } = attributing();
  expect(await outcome('GPU_INJECTION_FAILED')).toBe('GPU_INJECTION_FAILED');
  expect(await outcome('GPU_INJECTION_FAILED')).toBe('GPU_INJECTION_FAILED');
  expect(await outcome('GPU_INJECTION_FAILED')).toBe('CONTAINER_UNSTARTABLE');
});

test('an image that was given a GPU before is not at fault', async () => {
  const { outcome, starts } = attributing();
  starts.started('image-1', LIKE);
  for (const _ of [1, 2, 3, 4]) expect(await outcome('GPU_INJECTION_FAILED')).toBe('GPU_INJECTION_FAILED');
});

test.each<ErrorCode>(['CONTAINER_UNSTARTABLE', 'CONTAINER_NAME_TAKEN', 'CONTAINER_GONE', 'IMAGE_NOT_FOUND'])(
  'a failure with %s is explained, and nothing is repeated',
  async (code) => {
    const { blocked, outcome, tests } = attributing();
    expect(await outcome(code)).toBe(code);
    expect([tests, blocked]).toEqual([[], []]);
  },
);

test.each<ErrorCode>(['IMAGE_STORE_CORRUPT', 'IMAGE_REFUSED'])(
  'an image that cannot be started here with %s is left alone for a while',
  async (code) => {
    const { blocked, outcome } = attributing();
    expect(await outcome(code)).toBe(code);
    expect(blocked).toEqual(['image-1']);
  },
);
