import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import { type PullReport, pullImage } from '../../../../../src/runtime/docker/image/pull.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pull whose answer a test writes, with an engine that ignores every abort. */
function pulling() {
  const answer = new PassThrough();
  const docker = Object.assign(new Docker(), { createImage: () => Promise.resolve(answer) });
  const reports: PullReport[] = [];
  const caller = new AbortController();
  const outcome = pullImage(
    docker,
    { ref: 'a:1', repository: 'a', tag: '1' },
    { totalMs: 60_000, idleMs: 10_000, maxBytes: 1_000 },
    { onProgress: (report) => void reports.push(report), checkDisk: () => Promise.resolve() },
    caller.signal,
  ).catch((thrown: unknown) => thrown);
  const write = (current: number, total = 1_000): void => {
    const progressDetail = { current, total };
    answer.write(`${JSON.stringify({ id: 'layer', status: 'Downloading', progressDetail })}\n`);
  };
  return { answer, caller, outcome, reports, write };
}

describe('a pull', () => {
  test('ends with the answer of the engine', async () => {
    const { answer, outcome, reports, write } = pulling();
    write(500);
    answer.end();
    expect(await outcome).toBeUndefined();
    expect(reports.map(({ doneBytes, finished }) => [doneBytes, finished])).toEqual([
      [500, false],
      [500, true],
    ]);
    expect(vi.getTimerCount()).toBe(0);
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

  test('ends with the signal of the caller, for its reason', async () => {
    const { caller, outcome } = pulling();
    const reason = new AgentError('INTERNAL', 'enough');
    caller.abort(reason);
    expect(await outcome).toBe(reason);
  });
});
