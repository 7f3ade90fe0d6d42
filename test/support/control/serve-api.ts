import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { type RouteParts, routesOf } from '../../../src/control/routes.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { KEY_HEADER } from '../../../src/web-server/headers.ts';
import { servePage } from '../../../src/web-server/serve-page.ts';
import { SessionStore } from '../../../src/web-server/session-store.ts';
import { Sessions } from '../../../src/web-server/sessions.ts';
import type { TestAgent, TestEnv } from '../agent/test-env.ts';
import { load } from '../config/load.ts';

/** What a test's agent answers with, beside what it is itself. */
export async function routeParts(agent: TestAgent, more: Partial<RouteParts> = {}): Promise<RouteParts> {
  const loaded = await load();
  return {
    agent: agent.agent,
    host: 'host-1',
    journal: agent.journal,
    recent: new RecentEvents({ clock: systemClock, redact: (line) => line }),
    clock: systemClock,
    page: () => undefined,
    phase: () => 'working',
    pulls: () => [],
    startedAt: 0,
    settings: {
      loaded: () => loaded,
      redact: (text) => text,
      engine: async () => ({ product: 'Docker', version: '28.5.0', runc: undefined, toolkit: undefined }),
      risks: () => [],
    },
    status: () => '',
    version: '1.2.3',
    ...more,
  };
}

/** An agent's API at a socket in the directory of its environment, and over HTTP at a port with the headers of a session. */
export type ServedApi = AsyncDisposable & {
  readonly directory: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

export async function serveApi(
  env: TestEnv,
  agent: TestAgent,
  more: Partial<RouteParts> = {},
): Promise<ServedApi> {
  await using opened = new AsyncDisposableStack();
  const options = { routes: routesOf(await routeParts(agent, more)), version: '1.2.3' };
  opened.use(await serveControl(socketsOf(env.directory, undefined), options));
  const sessions = new Sessions(new SessionStore(env.directory), systemClock);
  const page = opened.use(
    await servePage(
      { host: '127.0.0.1', port: 0 },
      {
        ...options,
        sessions,
        hosts: () => ({ listen: '127.0.0.1', names: [] }),
        clock: systemClock,
        observe: () => undefined,
        metrics: { metrics: { text: () => '' }, token: () => undefined },
      },
    ),
  );
  const { cookie, key } = sessions.byLink(sessions.link(['read', 'control'], 'a test').token);
  const kept = opened.move();
  return {
    directory: env.directory,
    url: `http://127.0.0.1:${page.port}`,
    headers: { cookie: `${sessions.cookieName}=${cookie}`, [KEY_HEADER]: key },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
