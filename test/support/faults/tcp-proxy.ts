import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, listen } from './listen.ts';

/** What happens to connections. */
export type NetworkCondition =
  /** Everything is passed on. */
  | 'pass'
  /** Nobody listens. */
  | 'refuse'
  /** Connections are accepted, and nothing is ever passed on: a cable that was pulled, a firewall that drops. */
  | 'blackhole'
  /** Connections are reset. */
  | 'reset'
  /** What is asked is passed on; of each answer come the first bytes, then the connection is reset. */
  | 'cut-midway'
  /** What is open is a black hole, as after a long suspend; new connections are passed on. */
  | 'half-open';

/**
 * What happens to one connection: passed on; passed on, and cut at the first byte of the answer; swallowed; or answered
 * with this text by the proxy, so that the target never hears of it.
 */
export type ConnectionFault = 'pass' | 'lose-answer' | 'blackhole' | { readonly answer: string };

type Connection = { readonly near: Socket; far?: Socket; condition: NetworkCondition };

/** Of an answer that is cut midway, so many bytes come through: not even its headers. */
const CUT_AFTER_BYTES = 60;

/** A proxy for TCP and Unix sockets whose condition can be changed at any time, for what is open too. */
export class TcpProxy implements AsyncDisposable {
  /** Decides for each connection made while the condition is `pass`, once its first line has come. */
  plan: ((firstLine: string) => ConnectionFault | Promise<ConnectionFault>) | undefined;
  /** How many bytes fell into a black hole. */
  swallowed = 0;
  readonly #target: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly #connections = new Set<Connection>();
  #at: number | string;
  #server: Server | undefined;
  #condition: NetworkCondition = 'pass';
  #answered = 0;
  #holdAfter = Number.POSITIVE_INFINITY;
  #directory: string | undefined;

  private constructor(target: string, at: number | string) {
    const { hostname, pathname, port, protocol } = new URL(target);
    this.#target = protocol === 'unix:' ? { path: pathname } : { host: hostname, port: Number(port) };
    this.#at = at;
  }

  /** Opens a proxy before `target`, a URL such as `http://`, `tcp://` or `unix://`; it listens on a port, or at `path`. */
  static async open(target: string, path?: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, path ?? 0);
    await proxy.#listen();
    return proxy;
  }

  /** As `open`, at a Unix socket of its own. */
  static async openUnix(target: string): Promise<TcpProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'tcp-proxy-'));
    const proxy = await TcpProxy.open(target, join(directory, 'proxy.sock'));
    proxy.#directory = directory;
    return proxy;
  }

  /** The address to use instead of the target's. */
  get url(): string {
    return typeof this.#at === 'string' ? `unix://${this.#at}` : `http://127.0.0.1:${this.#at}`;
  }

  /** Whether answers are held up now. */
  get isHeld(): boolean {
    return this.#answered >= this.#holdAfter;
  }

  /** Changes the condition, for what is open at once. */
  async set(condition: NetworkCondition): Promise<void> {
    for (const connection of this.#connections)
      connection.condition = condition === 'half-open' ? 'blackhole' : condition;
    // Also after a black hole: a peer that comes back knows nothing of what was open before, and says so.
    if (['refuse', 'reset', 'pass'].includes(condition)) this.cut();
    await this.setForNew(condition === 'half-open' ? 'pass' : condition);
  }

  /** Changes the condition for new connections; what is open stays as it is. */
  async setForNew(condition: NetworkCondition): Promise<void> {
    this.#condition = condition;
    if (condition !== 'refuse') return this.#listen();
    this.#server?.close();
    this.#server = undefined;
  }

  /** Cuts what is open now. */
  cut(): void {
    for (const { far, near } of this.#connections) {
      reset(near);
      far?.destroy();
    }
  }

  /** Passes that many more bytes of answers on, and then none until `release`. */
  holdAfter(bytes: number): void {
    this.#holdAfter = this.#answered + bytes;
  }

  release(): void {
    this.#holdAfter = Number.POSITIVE_INFINITY;
    for (const { far } of this.#connections) far?.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    if (this.#server !== undefined) await close(this.#server);
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near));
    this.#server = server;
    const port = await listen(server, this.#at);
    if (typeof this.#at === 'number') this.#at = port;
  }

  #accept(near: Socket): void {
    const connection: Connection = { near, condition: this.#condition };
    this.#connections.add(connection);
    near.on('error', ignore).on('close', () => {
      this.#connections.delete(connection);
      connection.far?.destroy();
    });
    if (connection.condition === 'reset') reset(near);
    else if (connection.condition === 'blackhole') this.#swallow(near);
    else if (this.plan === undefined) this.#join(connection);
    else this.#decide(connection, this.plan);
  }

  #decide(connection: Connection, plan: NonNullable<TcpProxy['plan']>): void {
    const { near } = connection;
    let head = Buffer.alloc(0);
    const decide = async (firstLine: string): Promise<void> => {
      const fault = await plan(firstLine);
      if (near.destroyed) return;
      if (fault === 'blackhole') this.#swallow(near);
      else if (typeof fault === 'object') near.resume().end(fault.answer);
      else this.#join(connection, head, fault === 'lose-answer');
    };
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      if (!head.includes('\n')) return;
      near.off('data', onData).pause();
      void decide(head.toString('latin1', 0, head.indexOf('\n')).trimEnd());
    };
    near.on('data', onData);
  }

  #swallow(near: Socket): void {
    near.on('data', (chunk) => (this.swallowed += chunk.length)).resume();
  }

  #join(connection: Connection, head?: Buffer, isAnswerLost = false): void {
    const { near } = connection;
    const far = connect(this.#target);
    connection.far = far;
    const isDark = (): boolean => connection.condition === 'blackhole';
    let answered = 0;
    if (head !== undefined) far.write(head);
    near.on('data', (chunk: Buffer) => {
      if (isDark()) this.swallowed += chunk.length;
      else far.write(chunk);
    });
    near.resume();
    far.on('data', (chunk: Buffer) => {
      if (isDark()) return;
      // The target answers when it has done what it was asked for.
      if (isAnswerLost) return void near.destroy();
      if (connection.condition === 'cut-midway')
        near.write(chunk.subarray(0, Math.max(CUT_AFTER_BYTES - answered, 0)), () => reset(near));
      else near.write(chunk);
      answered += chunk.length;
      this.#answered += chunk.length;
      if (this.isHeld) far.pause();
    });
    near.on('end', () => far.end());
    far.on('end', () => {
      if (!isDark()) near.end();
    });
    // What was answered before the end still arrives; in the dark the near side does not hear of the end.
    far.on('error', ignore).on('close', () => {
      if (!isDark()) near.destroySoon();
    });
  }
}

/** Resets a TCP connection; a Unix socket knows no reset. */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** A connection that fails is what this is for. */
function ignore(): void {}
