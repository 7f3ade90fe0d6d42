import { lstatSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { http } from '../lib/http.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';
import type { Endpoint } from './endpoints.ts';
import { CALLER_HEADER, ENVELOPE, FAILURE, SCHEMA } from './protocol.ts';
import { shortPath } from './short-path.ts';
import { CONTROL_SOCKET } from './sockets.ts';

/** How an endpoint is asked. */
export type Question<Request extends z.ZodType = z.ZodType> = {
  readonly body?: z.input<Request>;
  /** What stands behind the endpoint's path, with the query. */
  readonly rest?: string;
  /** Who asks, for the record of changes. */
  readonly caller: string;
};

/** An answer; `silent`: somebody listens but does not answer; `none`: nobody listens. */
export type Asked<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'silent' | 'none' };

/**
 * Asks the agent whose socket is in a directory, which has `ms` milliseconds to answer. Throws the agent's own error;
 * CONTROL_VERSION for an agent of another schema; CONTROL_FOREIGN for a socket of somebody else.
 */
export async function ask<Request extends z.ZodType, Answer extends z.ZodType>(
  directory: string,
  endpoint: Endpoint<Request, Answer>,
  question: Question<Request>,
  ms: number,
): Promise<Asked<z.infer<Answer>>> {
  const connected = await connect(directory, endpoint, question, AbortSignal.timeout(ms));
  if (!('response' in connected)) return connected;
  using _ = connected;
  let text: string;
  try {
    text = await textOf(connected.response);
  } catch {
    // Cut off, too long or too late: the kind of failure does not matter.
    return { kind: 'silent' };
  }
  const parsed = parse(text);
  if (parsed === undefined) return { kind: 'silent' };
  checkVersion(parsed);
  throwFailure(parsed);
  return { kind: 'answer', answer: endpoint.answer.parse(parsed) };
}

/**
 * Asks for a stream of objects, until the signal aborts or the agent ends it. Throws as `ask` does, and AGENT_NOT_RUNNING
 * where nobody answers.
 */
export async function* follow<Request extends z.ZodType, Answer extends z.ZodType>(
  directory: string,
  endpoint: Endpoint<Request, Answer>,
  question: Question<Request>,
  signal: AbortSignal,
): AsyncGenerator<z.infer<Answer>, void> {
  const connected = await connect(directory, endpoint, question, signal);
  if (!('response' in connected)) {
    if (signal.aborted) return;
    throw new AgentError('AGENT_NOT_RUNNING', `no agent answers at ${join(directory, CONTROL_SOCKET)}`);
  }
  using _ = connected;
  let isFirst = true;
  try {
    for await (const line of linesOf(connected.response)) {
      const parsed = parse(line);
      if (parsed === undefined) continue;
      if (isFirst) {
        checkVersion(parsed);
        throwFailure(parsed);
        isFirst = false;
        continue;
      }
      yield endpoint.answer.parse(parsed);
    }
  } catch (thrown) {
    if (signal.aborted || (thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNRESET'))
      return;
    throw thrown;
  }
}

type Connected = { readonly response: IncomingMessage } & Disposable;

/** An agent with too many connections closes a new one at once; it is asked again until the signal aborts. */
async function connect(
  directory: string,
  endpoint: Pick<Endpoint, 'method' | 'path'>,
  question: Question,
  signal: AbortSignal,
): Promise<Connected | { readonly kind: 'silent' | 'none' }> {
  for (let attempt = 1; ; attempt += 1) {
    const connected = await connectOnce(directory, endpoint, question, signal);
    if ('response' in connected) return connected;
    if (connected.kind === 'none') return { kind: attempt === 1 ? 'none' : 'silent' };
    if (connected.kind === 'silent' || signal.aborted) return { kind: 'silent' };
    await sleep(AGAIN_MS, signal);
  }
}

const AGAIN_MS = 100;

async function connectOnce(
  directory: string,
  { method, path }: Pick<Endpoint, 'method' | 'path'>,
  { body, caller, rest = '' }: Question,
  signal: AbortSignal,
): Promise<Connected | { readonly kind: 'silent' | 'none' | 'turned-away' }> {
  const socketPath = join(directory, CONTROL_SOCKET);
  const owner = ownerOf(socketPath);
  if (owner === undefined) return { kind: 'none' };
  checkOwner(socketPath, owner);
  const short = shortPath(dirname(socketPath));
  let connection: Socket | undefined;
  try {
    const request = http.request({
      socketPath: join(short.path, CONTROL_SOCKET),
      method,
      path: `${path}${rest}`,
      headers: {
        [CALLER_HEADER]: caller.replace(/[^\w.@:+ -]/g, '_').slice(0, 100),
        'content-type': 'application/json',
        connection: 'close',
      },
      agent: false,
      signal,
    });
    const { promise, reject, resolve } = Promise.withResolvers<IncomingMessage>();
    request.once('socket', (socket) => socket.once('connect', () => (connection = socket)));
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const response = await promise;
    return { response, [Symbol.dispose]: () => void request.destroy() };
  } catch (cause) {
    if (isDenied(cause)) throw outOfReach(socketPath, cause);
    if (connection === undefined) return { kind: 'none' };
    return { kind: isClosed(cause) && connection.bytesRead === 0 ? 'turned-away' : 'silent' };
  } finally {
    short.close();
  }
}

/** The owner of a socket; undefined: there is no socket. Throws AGENT_OUT_OF_REACH where this user cannot tell. */
function ownerOf(path: string): number | undefined {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isSocket() === true ? found.uid : undefined;
  } catch (cause) {
    if (isDenied(cause)) throw outOfReach(path, cause);
    throw asStorageError(cause, path);
  }
}

function isClosed(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EACCES';
}

function outOfReach(path: string, cause: unknown): AgentError {
  return new AgentError('AGENT_OUT_OF_REACH', `this user may not connect to ${path}`, {
    hint: 'run this as the agent’s user or root, or join its group and log in again: sudo adduser $USER sharedcloud-agent',
    cause,
  });
}

/** Another program that listens there could answer anything. */
function checkOwner(path: string, owner: number): void {
  const uid = process.getuid?.() ?? 0;
  const above = lstatSync(dirname(path)).uid;
  if (owner === 0 || owner === uid || owner === above) return;
  throw new AgentError('CONTROL_FOREIGN', `${path} belongs to another user (uid ${owner})`, {
    hint: `find out what made it, and remove it: rm ${path}`,
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) break;
    bytes += chunk.length;
    if (bytes > LIMITS.host.controlAnswer.max) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void> {
  response.setEncoding('utf8');
  const splitter = new LineSplitter(LIMITS.host.controlAnswer.max);
  for await (const chunk of response) yield* splitter.push(String(chunk));
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function checkVersion(parsed: unknown): void {
  const envelope = ENVELOPE.safeParse(parsed);
  if (envelope.success && envelope.data.schema === SCHEMA) return;
  const whose = envelope.success ? `version ${envelope.data.version}` : 'another version';
  throw new AgentError(
    'CONTROL_VERSION',
    `the running agent has ${whose}, which this command cannot talk to`,
    {
      hint: 'restart the agent so that both have the same version; jobs keep running: sudo systemctl restart sharedcloud-agent',
    },
  );
}

function throwFailure(parsed: unknown): void {
  const failure = FAILURE.safeParse(parsed);
  if (!failure.success) return;
  const { code, hint, message } = failure.data.error;
  throw new AgentError(code, message, hint === null ? {} : { hint });
}
