import { createServer } from 'node:net';
import type { Config } from '../../config/config.ts';
import type { ListenAddress } from '../../config/listen.ts';
import { readSecretFile } from '../../config/secret-file.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import { http } from '../../lib/http.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { listenProblem, type Unlistenable } from '../../web-server/listen-problem.ts';
import { askAgent } from '../ask-agent.ts';

/** What was found of the status page. */
export type PageInspection = {
  /** Of the running agent; undefined: none runs, or it could not be asked. */
  readonly agent:
    | {
        readonly url: string | null;
        readonly why: string | null;
        readonly hint: string | null;
        /** Whether it answers there. */
        readonly isReached: boolean;
      }
    | undefined;
  /** Where no agent answers: why the address cannot be listened on; undefined: it can. */
  readonly unlistenable: Unlistenable | undefined;
  /** A file with a password or token that cannot be used. */
  readonly secrets: readonly AgentError[];
};

const ANSWER_MS = 3_000;

type PageConfig = Pick<Config, 'listen' | 'listenPasswordFile' | 'metricsTokenFile' | 'stateDir'>;

/** Asks the running agent and its page; without one it tries the address. Undefined where the page is turned off. */
export async function inspectPage(
  config: PageConfig,
  { caller, uid }: { readonly caller: string; readonly uid: number },
): Promise<PageInspection | undefined> {
  const { listen, stateDir } = config;
  if (listen === 'off') return undefined;
  const asked = await askAgent({ caller }, stateDir, ENDPOINTS.page, {}, ANSWER_MS).catch(() => undefined);
  const secrets = await unusableSecrets(config, ownerFor(stateDir, uid));
  if (asked?.kind !== 'answer')
    return { agent: undefined, unlistenable: await unlistenable(listen), secrets };
  const { answer } = asked;
  const isReached = answer.url !== null && (await answers(answer.url));
  return { agent: { ...answer, isReached }, unlistenable: undefined, secrets };
}

async function unusableSecrets(config: PageConfig, uid: number): Promise<readonly AgentError[]> {
  const files = [
    { path: config.listenPasswordFile, what: 'password' },
    { path: config.metricsTokenFile, what: 'token' },
  ] as const;
  const read = files.map(async ({ path, what }) => {
    try {
      if (path !== undefined) await readSecretFile(path, what, uid);
      return [];
    } catch (thrown) {
      return [asAgentError(thrown)];
    }
  });
  return (await Promise.all(read)).flat();
}

/** Listens for a moment. */
async function unlistenable(address: ListenAddress): Promise<Unlistenable | undefined> {
  const server = createServer((socket) => void socket.destroy());
  const { promise, resolve } = Promise.withResolvers<unknown>();
  server.once('error', resolve);
  server.listen(address.port, address.host, () => resolve(undefined));
  const failed = await promise;
  server.close();
  return failed === undefined ? undefined : listenProblem(failed, address);
}

async function answers(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const request = http.get(`${url}/healthz`, { agent: false, timeout: ANSWER_MS }, (response) => {
    resolve(response.statusCode === 200);
    request.destroy();
  });
  request.on('error', () => resolve(false));
  request.on('timeout', () => request.destroy());
  return promise;
}
