import { createServer } from 'node:net';
import type { Loaded } from '../../../config/config.ts';
import type { ListenAddress } from '../../../config/listen.ts';

/** Where the page of a dry run is by default, as any agent's. */
const DEFAULT: ListenAddress = { host: '127.0.0.1', port: 8470 };

/** Where the page of a dry run is served; undefined: nowhere. */
export type PageAddress = {
  readonly address: ListenAddress | undefined;
  /** What is to be said about it; undefined: nothing. */
  readonly note: string | undefined;
};

/**
 * The address that the owner has named for this dry run; else the default one, or a free port where something, such as an
 * agent, has that. What a configuration file says is for the agent.
 */
export async function pageAddress({ config, sources }: Loaded): Promise<PageAddress> {
  if (sources.listen.kind === 'flag' || sources.listen.kind === 'env')
    return { address: config.listen === 'off' ? undefined : config.listen, note: undefined };
  if (await isFree(DEFAULT)) return { address: DEFAULT, note: undefined };
  const address = { ...DEFAULT, port: await freePort(DEFAULT.host) };
  return { address, note: `port ${DEFAULT.port} is taken, so the page is at another one` };
}

async function isFree({ host, port }: ListenAddress): Promise<boolean> {
  return (await listenAt(host, port)) !== undefined;
}

async function freePort(host: string): Promise<number> {
  return (await listenAt(host, 0)) ?? 0;
}

/** The port that could be listened at for a moment; undefined: none. */
function listenAt(host: string, port: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const server = createServer();
  server.once('error', () => resolve(undefined));
  server.listen(port, host, () => {
    const bound = server.address();
    server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined));
  });
  return promise;
}
