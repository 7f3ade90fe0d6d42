import { createServer } from 'node:http';

/** What the engine says to a call: JSON with status 200, another status, or lines that go on without an end. */
export type Said =
  | { readonly json: unknown }
  | { readonly status: number }
  | { readonly lines: readonly unknown[] };

/** Something that answers an engine's calls as a test says, and runs nothing. */
export type TellingEngine = AsyncDisposable & {
  readonly host: string;
  /** The paths that were asked for, without their questions, in order. */
  readonly asked: readonly string[];
};

/** Listens on a port of its own. `say` gets the path of each call, such as `/containers/abc/json`. */
export async function tellingEngine(say: (path: string) => Said): Promise<TellingEngine> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    asked.push(path);
    const said = say(path);
    if ('status' in said) return void response.writeHead(said.status).end('as told');
    response.writeHead(200, { 'content-type': 'application/json' });
    if ('json' in said) return void response.end(JSON.stringify(said.json));
    response.flushHeaders();
    for (const line of said.lines) response.write(`${JSON.stringify(line)}\n`);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the engine has no port');
  return {
    host: `tcp://127.0.0.1:${address.port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
