import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { close, listen } from '../faults/listen.ts';
import { Dice } from './dice.ts';
import { type RawAnswer, sendRaw } from './raw-answer.ts';

/** What a call is for. */
export type Endpoint = (typeof ENDPOINTS)[number];

const ENDPOINTS = [
  'runs',
  'run',
  'function',
  'image',
  'gpus',
  'instances',
  'instance',
  'instance-change',
  'open-jobs',
  'held-jobs',
  'job',
  'job-change',
  'other',
] as const;

export type FuzzCall = {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** The id at the end of the path; empty for a list. */
  readonly id: string;
};

/** What an honest broker says to a call. */
export type Honest = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

/** What is done to a call. */
export type Distortion = {
  /** Whether the broker hears of the call. */
  readonly passOn: boolean;
  /** The broker hears this path instead. */
  readonly path?: string;
  /** Makes the answer; `honest` is what the broker has said, or a 503 where it has heard nothing. */
  readonly answer: (honest: Honest) => RawAnswer;
  /** The answer is false about a job, and looks as if the broker meant it. */
  readonly isLie?: boolean;
};

/**
 * Decides for each call; undefined passes it on as it is. The dice depend on the seed, on what the call is for, and on how
 * many of that kind there were before, so that a seed gives the same answers in whatever order the agent calls.
 */
export type Fuzzer = (call: FuzzCall, dice: Dice) => Distortion | undefined;

/** Answers some calls in place of the broker; undefined: the broker's. */
export type MadeUp = (call: FuzzCall) => Honest | undefined;

const UNHEARD: Honest = { status: 503, headers: {}, text: '{"detail": "Unavailable."}' };

/** A server between agents and a broker that distorts answers while it has a fuzzer. */
export class FuzzingFront implements AsyncDisposable {
  /** The jobs about which a false answer was given. */
  readonly lies = new Set<string>();
  /** How many answers were distorted, and of how many. */
  distorted = 0;
  calls = 0;
  /** How many calls asked for runs, without further pages. */
  polls = 0;
  #fuzzer: Fuzzer | undefined;
  #madeUp: MadeUp | undefined;
  readonly #seed: number;
  /** Calls of each kind since the fuzzer began. */
  readonly #counts = new Map<Endpoint, number>();
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #fuzzed = new Set<Socket>();
  readonly #failures: unknown[] = [];
  readonly #server = createServer((incoming, outgoing) => {
    this.#serve(incoming, outgoing).catch((thrown: unknown) => {
      if (!incoming.socket.destroyed) this.#failures.push(thrown);
      outgoing.destroy();
    });
  });
  #port = 0;

  private constructor(target: string, seed: number) {
    this.#seed = seed;
    this.#target = new URL(target);
  }

  static async open(target: string, seed: number): Promise<FuzzingFront> {
    const front = new FuzzingFront(target, seed);
    front.#port = await listen(front.#server);
    return front;
  }

  /** The base URL to use instead of the target's. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What went wrong here, and not at the agent. */
  get failures(): readonly unknown[] {
    return this.#failures;
  }

  /** From now on answers are distorted. */
  begin(fuzzer: Fuzzer, madeUp?: MadeUp): void {
    this.#fuzzer = fuzzer;
    this.#madeUp = madeUp;
    this.#counts.clear();
  }

  /** From now on answers are honest; those that are still under way are cut. */
  stop(): void {
    this.#fuzzer = undefined;
    this.#madeUp = undefined;
    for (const socket of this.#fuzzed) socket.destroy();
    this.#fuzzed.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await close(this.#server);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = callOf(incoming, await buffer(incoming));
    this.calls += 1;
    if (call.endpoint === 'runs' && !call.query.has('page')) this.polls += 1;
    const distortion = this.#fuzzer?.(call, this.#diceFor(call));
    const passOn = distortion?.passOn ?? true;
    const honest = passOn
      ? (this.#madeUp?.(call) ?? (await this.#pass(incoming, call, outgoing, distortion?.path)))
      : UNHEARD;
    if (distortion === undefined || this.#fuzzer === undefined) {
      outgoing.writeHead(honest.status, honest.headers).end(honest.text);
      return;
    }
    if (distortion.isLie) this.lies.add(call.id);
    this.distorted += 1;
    const { socket } = incoming;
    this.#fuzzed.add(socket);
    socket.once('close', () => this.#fuzzed.delete(socket));
    await sendRaw(socket, distortion.answer(honest));
  }

  #diceFor({ endpoint }: FuzzCall): Dice {
    const count = (this.#counts.get(endpoint) ?? 0) + 1;
    this.#counts.set(endpoint, count);
    const kind = ENDPOINTS.indexOf(endpoint) + 1;
    return new Dice(this.#seed ^ Math.imul(kind, 0x9e3779b1) ^ Math.imul(count, 0x85ebca77));
  }

  async #pass(
    incoming: IncomingMessage,
    call: FuzzCall,
    outgoing: ServerResponse,
    path = incoming.url ?? '/',
  ): Promise<Honest> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method } = incoming;
      const { 'if-none-match': _tag, prefer: _wait, ...always } = incoming.headers;
      // What is to be distorted has to be there, and now.
      const headers = {
        ...(this.#fuzzer === undefined ? incoming.headers : always),
        host: this.#target.host,
      };
      const onward = request(new URL(path, this.#target), { method, headers, agent: this.#agent }, resolve);
      onward.once('error', reject);
      // A call that the target holds ends with its caller.
      outgoing.once('close', () => onward.destroy());
      onward.end(call.body);
    });
    const { 'content-type': type = 'application/json', etag, 'preference-applied': applied } = answer.headers;
    return {
      status: answer.statusCode ?? 502,
      headers: {
        'content-type': type,
        ...(etag !== undefined && { etag }),
        ...(typeof applied === 'string' && { 'preference-applied': applied }),
      },
      text: (await buffer(answer)).toString(),
    };
  }
}

function callOf(incoming: IncomingMessage, body: Buffer): FuzzCall {
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://front');
  const [kind = '', id = '', act] = path.replace(/^\/api\/v1\//, '').split('/');
  const method = incoming.method ?? 'GET';
  return { endpoint: endpointOf(method, kind, id, act, query), method, path, query, body, id };
}

function endpointOf(
  method: string,
  kind: string,
  id: string,
  act: string | undefined,
  query: URLSearchParams,
): Endpoint {
  if (kind === 'runs') return id === '' ? 'runs' : 'run';
  if (kind === 'functions') return 'function';
  if (kind === 'images') return 'image';
  if (kind === 'gpus') return 'gpus';
  if (kind === 'instances') {
    if (method !== 'GET' || (act ?? '') !== '') return 'instance-change';
    return id === '' ? 'instances' : 'instance';
  }
  if (kind !== 'jobs') return 'other';
  if (method === 'PATCH') return 'job-change';
  if (id !== '') return 'job';
  return query.has('instance') ? 'held-jobs' : 'open-jobs';
}
