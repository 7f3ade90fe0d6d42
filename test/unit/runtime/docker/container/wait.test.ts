import { describe, expect, test } from 'vitest';
import type { Exit } from '../../../../../src/domain/ports/runtime.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { type Said, tellingEngine } from '../../../../support/engine/scripted-engine.ts';

const STARTED = '2026-01-01T00:00:00Z';
const FINISHED = '2026-01-01T01:00:00Z';
const LATER = '2026-01-01T02:00:00Z';

const INFO = { Driver: 'overlay2', OSType: 'linux' };
const VERSION = { Version: '20.10.24', ApiVersion: '1.41' };

const inspected = (Status: string, ExitCode: number): Said => ({
  json: { State: { Status, ExitCode, OOMKilled: false, StartedAt: STARTED, FinishedAt: FINISHED } },
});

/** An engine with a container that ended an hour after its start, before anybody waited for it. */
type Past = {
  readonly code?: number;
  readonly liveRestore?: boolean;
  /** What the engine remembers of it; undefined: it does not let itself be asked. */
  readonly noted?: readonly string[] | undefined;
  /** When its own network was made; undefined: it has none. */
  readonly since?: string | undefined;
};

async function ended({ code = 1, liveRestore = false, noted, since }: Past): Promise<Exit['exitOrigin']> {
  await using engine = await tellingEngine((path): Said => {
    if (path === '/info') return { json: { ...INFO, LiveRestoreEnabled: liveRestore } };
    if (path === '/version') return { json: VERSION };
    if (path === '/networks/bridge')
      return since === undefined ? { status: 404 } : { json: { Created: since } };
    if (path !== '/events') return inspected('exited', code);
    return noted === undefined ? { status: 403 } : { lines: noted.map((Action) => ({ Action })) };
  });
  const exit = await testRuntime(engine.host).runtime.wait('abc', AbortSignal.timeout(20_000));
  return exit.exitOrigin;
}

describe('a failure that was there at the first look', () => {
  test.each<[string, Past, Exit['exitOrigin']]>([
    ['the engine saw', { noted: ['die'], since: STARTED }, 'job'],
    ['an engine knows nothing of that has started since', { noted: [], since: LATER }, 'engine'],
    ['an engine knows nothing of, without telling since when it runs', { noted: [] }, 'engine'],
    ['an engine has forgotten that runs for longer', { noted: [], since: STARTED }, 'job'],
    ['followed a kill by call', { noted: ['kill', 'die'], since: STARTED }, 'external'],
    ['an engine knows nothing of that keeps its containers', { noted: [], liveRestore: true }, 'job'],
    ['an engine does not let itself be asked about', {}, 'job'],
  ])('and that %s', async (_, past, exitOrigin) => {
    expect(await ended(past)).toBe(exitOrigin);
  });
});

test('a container that takes its time to be removed is looked at now and then', async () => {
  const looks: number[] = [];
  await using engine = await tellingEngine((path): Said => {
    if (path.endsWith('/wait')) return { json: { StatusCode: 0 } };
    looks.push(performance.now());
    return looks.length <= 4 ? inspected('removing', 0) : { status: 404 };
  });
  const waited = testRuntime(engine.host).runtime.wait('abc', AbortSignal.timeout(20_000));
  await expect(waited).rejects.toMatchObject({ code: 'CONTAINER_GONE' });
  const [, second = 0, third = 0, fourth = 0] = looks;
  expect(Math.min(third - second, fourth - third)).toBeGreaterThan(400);
});
