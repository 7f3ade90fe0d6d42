import { createServer } from 'node:http';

/** An answer of the engine: JSON with status 200, another status, or an endless stream of lines. */
export type EngineAnswer =
  | { readonly json: unknown }
  | { readonly status: number }
  | { readonly lines: readonly unknown[] };

/** An engine that answers by a test's script, and runs nothing. */
export type ScriptedEngine = AsyncDisposable & { readonly host: string };

/** Listens on a port of its own. `script` gets the path of each call, such as `/containers/abc/json`. */
export async function scriptedEngine(script: (path: string) => EngineAnswer): Promise<ScriptedEngine> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const answer = script(path);
    if ('status' in answer) return void response.writeHead(answer.status).end('scripted');
    response.writeHead(200, { 'content-type': 'application/json' });
    if ('json' in answer) return void response.end(JSON.stringify(answer.json));
    response.flushHeaders();
    for (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the engine has no port');
  return {
    host: `tcp://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
