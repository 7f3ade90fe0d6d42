import { describe, expect, test } from 'vitest';
import type { Exit } from '../../../../../src/domain/ports/runtime.ts';
import { ENGINE_DEADLINES } from '../../../../../src/runtime/docker/engine/call.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { type EngineAnswer, scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const STARTED = '2026-01-01T00:00:00Z';
const FINISHED = '2026-01-01T01:00:00Z';
const LATER = '2026-01-01T02:00:00Z';

const INFO = { Driver: 'overlay2', OSType: 'linux' };
const VERSION = { Version: '20.10.24', ApiVersion: '1.41' };

const inspected = (Status: string, ExitCode: number): EngineAnswer => ({
  json: { State: { Status, ExitCode, OOMKilled: false, StartedAt: STARTED, FinishedAt: FINISHED } },
});

/** An engine with a container that exited an hour after its start, before the first inspect. */
type Past = {
  readonly code?: number;
  readonly liveRestore?: boolean;
  /** The events of the container; undefined: the engine refuses access. */
  readonly events?: readonly string[] | undefined;
  /** When the engine created its network `bridge`; undefined: it has none. */
  readonly startedAt?: string | undefined;
};

async function waitedOrigin({
  code = 1,
  liveRestore = false,
  events,
  startedAt,
}: Past): Promise<Exit['exitOrigin']> {
  await using engine = await scriptedEngine((path): EngineAnswer => {
    if (path === '/info') return { json: { ...INFO, LiveRestoreEnabled: liveRestore } };
    if (path === '/version') return { json: VERSION };
    if (path === '/networks/bridge')
      return startedAt === undefined ? { status: 404 } : { json: { Created: startedAt } };
    if (path !== '/events') return inspected('exited', code);
    return events === undefined ? { status: 403 } : { lines: events.map((Action) => ({ Action })) };
  });
  const deadlines = { ...ENGINE_DEADLINES, eventsMs: 200 };
  const { runtime } = testRuntime(engine.host, { deadlines });
  const exit = await runtime.wait('abc', AbortSignal.timeout(20_000));
  return exit.exitOrigin;
}

describe('the exit origin of a container that had failed before the first inspect', () => {
  test.each<[string, Past, Exit['exitOrigin']]>([
    ['the engine has its exit event', { events: ['die'], startedAt: STARTED }, 'job'],
    ['the engine started later', { events: [], startedAt: LATER }, 'engine'],
    ['the engine has no event and no start time', { events: [] }, 'engine'],
    ['the engine ran, and its event has expired', { events: [], startedAt: STARTED }, 'job'],
    ['it was killed through the engine', { events: ['kill', 'die'], startedAt: STARTED }, 'external'],
    ['the engine has live-restore and no event', { events: [], liveRestore: true }, 'job'],
    ['the engine refuses access to its events', {}, 'job'],
  ])('if %s', async (_, past, exitOrigin) => {
    expect(await waitedOrigin(past)).toBe(exitOrigin);
  });
});

test('pauses between the inspects of a container whose wait is answered at once', async () => {
  const inspects: number[] = [];
  await using engine = await scriptedEngine((path): EngineAnswer => {
    if (path.endsWith('/wait')) return { json: { StatusCode: 0 } };
    inspects.push(performance.now());
    return inspects.length <= 2 ? inspected('restarting', 0) : { status: 404 };
  });
  const waited = testRuntime(engine.host).runtime.wait('abc', AbortSignal.timeout(20_000));
  await expect(waited).rejects.toMatchObject({ code: 'CONTAINER_GONE' });
  const [, second = 0, third = 0] = inspects;
  expect(third - second).toBeGreaterThan(400);
});
