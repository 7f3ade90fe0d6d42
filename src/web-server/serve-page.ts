import type { FastifyInstance } from 'fastify';
import type { Answering } from '../control-api/answer.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { http } from '../lib/http.ts';

/** Where the page is served. */
export type Address = { readonly host: string; readonly port: number };

/** A page that is served until it is disposed of. */
export type ServedPage = AsyncDisposable & { readonly port: number };

/** Serves page and API. What they need is loaded at the first request, since most owners look seldom. */
export async function servePage(address: Address, options: Answering): Promise<ServedPage> {
  let app: Promise<FastifyInstance> | undefined;
  const server = http.createServer((request, response) => {
    app ??= import('./app.ts').then(({ buildApp }) => buildApp(options));
    app.then(
      (loaded) => loaded.routing(request, response),
      () => response.destroy(),
    );
  });
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(address.port, address.host, resolve);
  try {
    await promise;
  } catch (cause) {
    throw asStorageError(cause, `${address.host}:${address.port}`);
  }
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
      await (await app)?.close();
    },
  };
}
