import type { Observer } from './agent/events/events.ts';
import type { Config } from './config/config.ts';
import { readSecretFile } from './config/secret-file.ts';
import type { Answering } from './control-api/answer.ts';
import type { Route } from './control-api/route.ts';
import type { HostClock } from './domain/ports/clock.ts';
import type { Redactor } from './lib/redactor.ts';
import type { Metrics } from './metrics/metrics.ts';
import { type KeptPage, keepServing } from './web-server/keep-serving.ts';
import type { Unlistenable } from './web-server/listen-problem.ts';
import { pageRoutes } from './web-server/page-routes.ts';
import { SessionStore } from './web-server/session-store.ts';
import { Sessions } from './web-server/sessions.ts';

/** The part of the composition root for the status page. */
export type Page = {
  /** What the sockets answer about it. */
  readonly routes: readonly Route[];
  /** Why it is not served, though it should be. */
  problem(): Unlistenable | undefined;
  /** Serves it until that is disposed of; returns after the first try. */
  serve(answering: Answering, metrics: Pick<Metrics, 'text'>): Promise<AsyncDisposable>;
  /** Takes the names, the password and the metrics' token of a configuration that was read again. Throws SECRET_FILE_UNSAFE, CONFIG_INVALID. */
  follow(config: PageConfig): Promise<void>;
};

export type PageConfig = Pick<Config, 'listen' | 'listenHost' | 'listenPasswordFile' | 'metricsTokenFile'>;

/** What the page gets from the rest of the agent. */
type PageNeeds = {
  readonly stateDir: string;
  readonly uid: number;
  readonly clock: HostClock;
  readonly redactor: Redactor;
  readonly observe: Observer;
};

/** Reads the files that the page needs; serves nothing yet. Throws as `follow` does. */
export async function openPage(config: PageConfig, needs: PageNeeds): Promise<Page> {
  const { listen } = config;
  const { clock, observe, redactor, stateDir, uid } = needs;
  const sessions = new Sessions(new SessionStore(stateDir), clock);
  let names: readonly string[] = [];
  let metricsToken: string | undefined;
  let kept: KeptPage | undefined;
  const hosts = () => ({ listen: listen === 'off' ? '127.0.0.1' : listen.host, names });
  const follow = async (next: PageConfig): Promise<void> => {
    const file = next.listenPasswordFile;
    const password = file === undefined ? undefined : await readSecretFile(file, 'password', uid);
    const tokenFile = next.metricsTokenFile;
    const token = tokenFile === undefined ? undefined : await readSecretFile(tokenFile, 'token', uid);
    for (const secret of [password, token]) if (secret !== undefined) redactor.add(secret);
    sessions.setPassword(password);
    metricsToken = token;
    names = next.listenHost;
  };
  await follow(config);
  return {
    routes: pageRoutes(listen, () => kept, { hosts, observe, sessions }),
    problem: () => kept?.problem,
    serve: async (answering, metrics) => {
      if (listen !== 'off')
        kept = await keepServing(listen, {
          ...answering,
          metrics: { metrics, token: () => metricsToken },
          sessions,
          hosts,
          clock,
          observe,
        });
      return { [Symbol.asyncDispose]: async () => kept?.[Symbol.asyncDispose]() };
    },
    follow,
  };
}
