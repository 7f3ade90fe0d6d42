import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** An answer as it goes over the wire, in whatever way it breaks HTTP. */
export type RawAnswer = {
  readonly status: number | string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Iterable<string>;
  /** How the body is delimited; a text is a Content-Length, right or wrong; `broken`: chunks with lengths that are none. */
  readonly framing: 'chunked' | 'close' | 'broken' | { readonly length: string };
  /** Written before all else, such as an answer with a status of 1xx. */
  readonly before?: string;
  /** Written after all else: trailers, or an answer that nobody asked for. */
  readonly after?: string;
  readonly headersAfterMs?: number;
  /** The body comes byte by byte, so far apart. */
  readonly byteEveryMs?: number;
  /** `cut`: the connection ends in the middle of the body; `hang`: the rest never comes. */
  readonly end: 'whole' | 'cut' | 'hang';
};

/** Of the body before it is cut or hangs, in bytes. */
const FIRST_PART = 1_000;

/** Gathered into one write, in bytes. */
const WRITE_BYTES = 256 * 1024;

/** Writes an answer to a connection, no faster than the peer reads; ends early where the connection ends. */
export async function sendRaw(socket: Socket, answer: RawAnswer): Promise<void> {
  socket.on('error', () => undefined);
  const { after, before, end, framing, headersAfterMs } = answer;
  if (before !== undefined) await write(socket, before);
  if (headersAfterMs !== undefined) await pause(headersAfterMs);
  await write(socket, head(answer));
  const isWhole = await sendBody(socket, answer);
  if (end === 'hang') return;
  if (isWhole && framing === 'chunked') await write(socket, `0\r\n${after ?? ''}\r\n`);
  else if (isWhole && after !== undefined) await write(socket, after);
  if (isWhole) socket.end();
  else socket.destroy();
}

function head({ framing, headers, status }: RawAnswer): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  if (framing === 'chunked' || framing === 'broken') lines.push('Transfer-Encoding: chunked\r\n');
  else if (framing !== 'close') lines.push(`Content-Length: ${framing.length}\r\n`);
  return `HTTP/1.1 ${status} Odd\r\n${lines.join('')}Connection: close\r\n\r\n`;
}

/** Answers whether all of it was sent. */
async function sendBody(socket: Socket, answer: RawAnswer): Promise<boolean> {
  const { body, byteEveryMs, end } = answer;
  const limit = end === 'whole' ? Number.POSITIVE_INFINITY : FIRST_PART;
  let sent = 0;
  let gathered = '';
  const flush = async (): Promise<void> => {
    const text = gathered.slice(0, limit - sent);
    gathered = '';
    if (text === '') return;
    sent += text.length;
    await write(socket, framed(text, answer.framing));
  };
  for (const piece of body) {
    gathered += piece;
    if (byteEveryMs !== undefined) {
      for (const byte of gathered) {
        await write(socket, framed(byte, answer.framing));
        await pause(byteEveryMs);
      }
      gathered = '';
    } else if (gathered.length >= WRITE_BYTES) await flush();
    if (sent >= limit || socket.destroyed) return false;
  }
  await flush();
  return end === 'whole';
}

function framed(text: string, framing: RawAnswer['framing']): string {
  if (framing === 'broken') return `zz${text}\r\n`;
  return framing === 'chunked' ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text;
}

/** Waits until the peer has read enough for more. */
async function write(socket: Socket, text: string): Promise<void> {
  if (socket.destroyed || socket.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
