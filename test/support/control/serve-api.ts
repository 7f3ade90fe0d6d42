import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { type RouteParts, routesOf } from '../../../src/control/routes.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { servePage } from '../../../src/web-server/serve-page.ts';
import type { TestAgent, TestEnv } from '../agent/test-env.ts';

/** What a test's agent answers with, beside what it is itself. */
export function routeParts(agent: TestAgent, more: Partial<RouteParts> = {}): RouteParts {
  return {
    agent: agent.agent,
    host: 'host-1',
    journal: agent.journal,
    recent: new RecentEvents({ clock: systemClock, redact: (line) => line }),
    clock: systemClock,
    phase: () => 'working',
    pulls: () => [],
    startedAt: 0,
    status: () => '',
    version: '1.2.3',
    ...more,
  };
}

/** An agent's API at a socket in the directory of its environment, and over HTTP at a port. */
export type ServedApi = AsyncDisposable & { readonly directory: string; readonly url: string };

export async function serveApi(
  env: TestEnv,
  agent: TestAgent,
  more: Partial<RouteParts> = {},
): Promise<ServedApi> {
  await using opened = new AsyncDisposableStack();
  const options = { routes: routesOf(routeParts(agent, more)), version: '1.2.3' };
  opened.use(await serveControl(socketsOf(env.directory, undefined), options));
  const page = opened.use(await servePage({ host: '127.0.0.1', port: 0 }, options));
  const kept = opened.move();
  return {
    directory: env.directory,
    url: `http://127.0.0.1:${page.port}`,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
