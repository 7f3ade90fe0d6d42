import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';

/** What a client asks of the engine, as far as the first line of the call tells. */
export type EngineCall = {
  /** Such as `create`, `attach`, `start`, `wait`, `kill`, `remove`, `logs`, `inspect`, `list`; else the path. */
  readonly name: string;
  /** The how many-th call of that name this is, from 1. */
  readonly count: number;
  /** The container that it is about; undefined where it is about none that is there. */
  readonly container: string | undefined;
};

/**
 * What becomes of a call: it is passed on; passed on, and its answer lost with the connection; taken and neither
 * passed on nor answered; or answered with this status by the proxy, so that the engine never hears of it.
 */
export type Fate = 'pass' | 'lose-answer' | 'swallow' | { readonly answer: number };

/** Decides over a call; may do something to the engine first. */
export type FatePlan = (call: EngineCall) => Fate | Promise<Fate>;

/**
 * A unix socket in front of an engine that does to calls and connections what a plan says. It sees one call per
 * connection, as the agent makes them.
 */
export class EngineProxy implements AsyncDisposable {
  readonly host: string;
  /** May be changed at any time; counts for calls that begin from then on. */
  plan: FatePlan = () => 'pass';
  readonly #target: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();
  readonly #server = createServer((near) => this.#take(near));
  readonly #dir: string;

  private constructor(engineHost: string, dir: string) {
    const address = parseDockerHost(engineHost);
    this.#target = 'socketPath' in address ? { path: address.socketPath } : address;
    this.#dir = dir;
    this.host = `unix://${join(dir, 'docker.sock')}`;
  }

  static async start(engineHost: string): Promise<EngineProxy> {
    const dir = await mkdtemp(join(tmpdir(), 'engine-proxy-'));
    const proxy = new EngineProxy(engineHost, dir);
    await new Promise<void>((resolve) => proxy.#server.listen(join(dir, 'docker.sock'), resolve));
    return proxy;
  }

  /** A socket that takes every call and never says a word, as an engine that hangs does. */
  static async deaf(): Promise<EngineProxy> {
    const proxy = await EngineProxy.start('unix:///nowhere/docker.sock');
    proxy.plan = () => 'swallow';
    return proxy;
  }

  /** How many calls of this name have come so far. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Cuts every connection that is open now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#dir, { recursive: true });
  }

  #take(near: Socket): void {
    this.#keep(near);
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      if (!head.includes('\r\n')) return;
      near.off('data', onData).pause();
      void this.#decide(near, head);
    };
    near.on('data', onData);
  }

  async #decide(near: Socket, head: Buffer): Promise<void> {
    const { container, name } = readRequestLine(head.toString('latin1', 0, head.indexOf('\r\n')));
    const count = this.count(name) + 1;
    this.#counts.set(name, count);
    const fate = await this.plan({ name, count, container });
    if (near.destroyed) return;
    if (fate === 'swallow') return void near.resume();
    if (typeof fate === 'object') {
      near.resume().end(`HTTP/1.1 ${fate.answer} As Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const far = connect(this.#target);
    this.#keep(far);
    near.on('close', () => far.destroy());
    // What was answered before the end still arrives.
    far.on('close', () => near.destroySoon());
    far.write(head);
    near.pipe(far);
    // The engine answers when it has done what it was asked for.
    if (fate === 'lose-answer') far.once('data', () => near.destroy());
    else far.pipe(near);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
  }
}

/** Takes apart a request line, such as `POST /containers/abc/start HTTP/1.1`. */
function readRequestLine(line: string): Pick<EngineCall, 'container' | 'name'> {
  const [method = '', target = ''] = line.split(' ');
  const path = target.replace(/^\/v\d+\.\d+/, '').replace(/\?.*$/, '');
  if (path === '/containers/json') return { name: 'list', container: undefined };
  if (path === '/containers/create') return { name: 'create', container: undefined };
  const [, container, deed] = /^\/containers\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  if (container === undefined) return { name: path, container };
  if (deed === undefined) return { name: method === 'DELETE' ? 'remove' : method, container };
  return { name: deed === 'json' ? 'inspect' : deed, container };
}
