import { expect, test } from 'vitest';
import { readState } from '../../../../../src/runtime/docker/container/state.ts';

const NEVER = '0001-01-01T00:00:00Z';
const state = (changes: object) => ({
  Status: 'exited',
  ExitCode: 3,
  OOMKilled: false,
  StartedAt: '2026-01-01T00:00:01.5Z',
  FinishedAt: '2026-01-01T00:00:03.25Z',
  ...changes,
});
const START = Date.parse('2026-01-01T00:00:01.5Z');

test('reads the code and times of an exit', () => {
  const exit = { code: 3, oomKilled: false, startedAt: START, finishedAt: START + 1750 };
  expect(readState(state({}))).toEqual({ name: 'exited', startedAt: START, exit, paused: false });
  for (const Status of ['dead', 'removing']) expect(readState(state({ Status })).exit).toEqual(exit);
});

test('counts no time for a job whose start was recorded after its exit', () => {
  const { exit } = readState(state({ FinishedAt: '2026-01-01T00:00:01.49Z' }));
  expect(exit).toMatchObject({ startedAt: START, finishedAt: START });
});

test('reads no times and no exit of a container that was never started', () => {
  const never = state({ Status: 'created', ExitCode: 127, StartedAt: NEVER, FinishedAt: NEVER });
  expect(readState(never)).toEqual({
    name: 'created',
    startedAt: undefined,
    exit: undefined,
    paused: false,
  });
});

test.each(['running', 'paused', 'restarting'])('counts %s as running', (Status) => {
  const running = state({ Status, FinishedAt: NEVER });
  expect(readState(running)).toEqual({
    name: 'running',
    startedAt: START,
    exit: undefined,
    paused: Status === 'paused',
  });
});
