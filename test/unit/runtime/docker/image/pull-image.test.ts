import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import type { PullProgress } from '../../../../../src/domain/ports/runtime.ts';
import { PullsUnderWay, pullImage } from '../../../../../src/runtime/docker/image/pull.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pull whose answer a test writes, with an engine that ignores every abort. */
function pulling(pulls = new PullsUnderWay()) {
  const answer = new PassThrough();
  const docker = Object.assign(new Docker(), { createImage: () => Promise.resolve(answer) });
  const reports: PullProgress[] = [];
  const pending: number[] = [];
  const caller = new AbortController();
  const outcome = pullImage(
    docker,
    { ref: 'a:1', repository: 'a', tag: '1' },
    { totalMs: 60_000, idleMs: 10_000, maxBytes: 1_000 },
    {
      onProgress: (report) => void reports.push(report),
      checkDisk: async (bytes) => void pending.push(bytes),
    },
    pulls,
    caller.signal,
  ).catch((thrown: unknown) => thrown);
  const write = (current: number, total = 1_000): void => {
    const progressDetail = { current, total };
    answer.write(`${JSON.stringify({ id: 'layer', status: 'Downloading', progressDetail })}\n`);
  };
  return { answer, caller, outcome, pending, reports, write };
}

describe('a pull', () => {
  test('ends with the answer of the engine', async () => {
    const { answer, outcome, reports, write } = pulling();
    write(500);
    answer.end();
    expect(await outcome).toBe(false);
    expect(reports.map(({ doneBytes, finished }) => [doneBytes, finished])).toEqual([
      [500, false],
      [500, true],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['Status: Downloaded newer image for a:1', true],
    ['Status: Image is up to date for a:1', false],
  ])('tells by “%s” whether it has brought an image', async (status, isNew) => {
    const { answer, outcome } = pulling();
    answer.end(`${JSON.stringify({ status: 'Digest: sha256:1' })}\n${JSON.stringify({ status })}\n`);
    expect(await outcome).toBe(isNew);
  });

  test('does not ask a layer whether it has brought an image', async () => {
    const { answer, outcome } = pulling();
    answer.end(`${JSON.stringify({ id: 'layer', status: 'Status: Downloaded newer image for a:1' })}\n`);
    expect(await outcome).toBe(false);
  });

  test('fails where it makes no progress, and not while it does', async () => {
    const { outcome, reports, write } = pulling();
    for (let current = 1; current <= 3; current += 1) {
      write(current);
      await vi.advanceTimersByTimeAsync(9_000);
    }
    expect(reports.at(-1)?.finished).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toMatchObject({ code: 'IMAGE_PULL_FAILED' } satisfies Partial<AgentError>);
    expect(reports.at(-1)?.finished).toBe(true);
  });

  test('fails where all of it takes too long', async () => {
    const { outcome, write } = pulling();
    for (let current = 1; current <= 12; current += 1) {
      write(current);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(await outcome).toMatchObject({ code: 'IMAGE_PULL_FAILED' } satisfies Partial<AgentError>);
  });

  test('is refused where the image is larger than the owner allows', async () => {
    const { outcome, write } = pulling();
    write(1, 1_001);
    expect(await outcome).toMatchObject({ code: 'IMAGE_REFUSED' } satisfies Partial<AgentError>);
  });

  test('needs disk for what it and the pulls before it will still download', async () => {
    const pulls = new PullsUnderWay();
    const [first, second] = [pulling(pulls), pulling(pulls)];
    for (const done of [100, 300]) {
      first.write(done, 900);
      second.write(done, 500);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect([first.pending, second.pending]).toEqual([
      [0, 600],
      [0, 600 + 200],
    ]);
    first.answer.end();
    await first.outcome;
    second.write(400, 500);
    await vi.advanceTimersByTimeAsync(0);
    expect(second.pending.at(-1)).toBe(100);
    second.answer.end();
    await second.outcome;
  });

  test('ends with the signal of the caller, for its reason', async () => {
    const { caller, outcome } = pulling();
    const reason = new AgentError('INTERNAL', 'enough');
    caller.abort(reason);
    expect(await outcome).toBe(reason);
  });
});
