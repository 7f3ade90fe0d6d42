import { httpServer, json } from '../faults/server.ts';

/** An answer of the engine: JSON with status 200, another status with its message, or an endless stream of lines. */
export type EngineAnswer =
  | { readonly json: unknown }
  | { readonly status: number; readonly message?: string }
  | { readonly lines: readonly unknown[] };

/** An engine that answers by a test's script, and runs nothing. */
export type ScriptedEngine = AsyncDisposable & { readonly host: string };

/** Listens on a port of its own. `script` gets the path of each call, such as `/containers/abc/json`. */
export async function scriptedEngine(script: (path: string) => EngineAnswer): Promise<ScriptedEngine> {
  const server = await httpServer(({ url }, response) => {
    const answer = script(url.replace(/\?.*$/, ''));
    if ('status' in answer)
      return answer.message === undefined
        ? void response.writeHead(answer.status).end('scripted')
        : json(response, { message: answer.message }, answer.status);
    if ('json' in answer) return json(response, answer.json);
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
  });
  return { host: server.dockerHost, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
