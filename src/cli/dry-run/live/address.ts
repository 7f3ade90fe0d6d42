import { createServer } from 'node:net';
import type { Config, Loaded, Source } from '../../../config/config.ts';
import type { ListenAddress } from '../../../config/listen.ts';

/** Where the page of a dry run is by default, as any agent's. */
const DEFAULT: ListenAddress = { host: '127.0.0.1', port: 8470 };

/** Where the page of a dry run is served; undefined: nowhere. */
export type PageAddress = {
  readonly address: ListenAddress | undefined;
  /** What is to be said about it; undefined: nothing. */
  readonly note: string | undefined;
};

/** The owner's options of the page that are meant for this dry run: a configuration file is for the agent. */
export function pageOptions({
  config,
  sources,
}: Loaded): Pick<Config, 'listenHost' | 'listenPasswordFile' | 'metricsTokenFile'> {
  return {
    listenHost: isNamed(sources.listenHost) ? config.listenHost : [],
    listenPasswordFile: isNamed(sources.listenPasswordFile) ? config.listenPasswordFile : undefined,
    metricsTokenFile: undefined,
  };
}

/**
 * The address that the owner has named for this dry run; else the default one, or a free port where something, such as an
 * agent, has that.
 */
export async function pageAddress({ config, sources }: Loaded): Promise<PageAddress> {
  if (isNamed(sources.listen))
    return { address: config.listen === 'off' ? undefined : config.listen, note: undefined };
  if (await isFree(DEFAULT)) return { address: DEFAULT, note: undefined };
  const address = { ...DEFAULT, port: await freePort(DEFAULT.host) };
  return { address, note: `port ${DEFAULT.port} is taken, so the page is at another one` };
}

function isNamed({ kind }: Source): boolean {
  return kind === 'flag' || kind === 'env';
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
