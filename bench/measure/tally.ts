import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** A call and the broker's answer. */
export type Counted = { readonly call: string; readonly status: number; readonly bytes: number };

/** A proxy in front of a broker that records calls, and that can disable held calls. */
export type Tally = AsyncDisposable & { readonly url: string; readonly calls: readonly Counted[] };

/** Opens a tally; `holdsCalls`: whether the broker may hold calls. */
export async function openTally(brokerUrl: string, holdsCalls: boolean): Promise<Tally> {
  const calls: Counted[] = [];
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { prefer: _, ...unheld } = incoming.headers;
    const target = new URL(incoming.url ?? '/', brokerUrl);
    const headers = holdsCalls ? incoming.headers : unheld;
    const onward = request(target, { method: incoming.method, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('end', () =>
        calls.push({ call: `${incoming.method} ${target.pathname}`, status: answer.statusCode ?? 0, bytes }),
      );
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  };
  const server = createServer(pass).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the tally has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
