import { type ConnectionFault, TcpProxy } from '../faults/tcp-proxy.ts';

/** What a client asks of the engine, as far as the first line of the call tells. */
export type EngineCall = {
  /** Such as `create`, `attach`, `start`, `wait`, `kill`, `remove`, `logs`, `inspect`, `list`; else the path. */
  readonly name: string;
  /** The how many-th call of that name this is, from 1. */
  readonly count: number;
  /** The container that it is about; undefined where it is about none that is there. */
  readonly container: string | undefined;
};

/** What happens to a call; `answer` is a status, perhaps with a message, and the engine never hears of the call. */
export type EngineFault =
  | Exclude<ConnectionFault, object>
  | { readonly answer: number; readonly message?: string };

/** Decides for each call; may do something to the engine first. */
export type EngineFaultPlan = (call: EngineCall) => EngineFault | Promise<EngineFault>;

/** A Unix socket before an engine. It sees one call per connection, as the agent makes them. */
export class EngineProxy implements AsyncDisposable {
  /** May be changed at any time; counts for calls that begin from then on. */
  plan: EngineFaultPlan = () => 'pass';
  readonly #proxy: TcpProxy;
  readonly #counts = new Map<string, number>();

  private constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
    proxy.plan = async (firstLine) => {
      const { container, name } = readRequestLine(firstLine);
      const count = this.count(name) + 1;
      this.#counts.set(name, count);
      const fault = await this.plan({ name, count, container });
      if (typeof fault === 'string') return fault;
      const body = fault.message === undefined ? '' : JSON.stringify({ message: fault.message });
      const head = `HTTP/1.1 ${fault.answer} Fault\r\nContent-Type: application/json`;
      const length = Buffer.byteLength(body);
      return { answer: `${head}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}` };
    };
  }

  static async start(engineHost: string): Promise<EngineProxy> {
    return new EngineProxy(await TcpProxy.openUnix(engineHost));
  }

  /** An engine that hangs: every call is accepted, and none is answered. */
  static async hanging(): Promise<EngineProxy> {
    const proxy = await EngineProxy.start('unix:///nowhere/docker.sock');
    proxy.plan = () => 'blackhole';
    return proxy;
  }

  get host(): string {
    return this.#proxy.url;
  }

  /** How many calls of this name have come so far. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Cuts every connection that is open now. */
  cut(): void {
    this.#proxy.cut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy[Symbol.asyncDispose]();
  }
}

/** Takes apart a request line, such as `POST /containers/abc/start HTTP/1.1`. */
function readRequestLine(line: string): Pick<EngineCall, 'container' | 'name'> {
  const [method = '', target = ''] = line.split(' ');
  const path = target.replace(/^\/v\d+\.\d+/, '').replace(/\?.*$/, '');
  if (path === '/containers/json') return { name: 'list', container: undefined };
  if (path === '/containers/create') return { name: 'create', container: undefined };
  const [, container, action] = /^\/containers\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  if (container === undefined) return { name: path, container };
  if (action === undefined) return { name: method === 'DELETE' ? 'remove' : method, container };
  return { name: action === 'json' ? 'inspect' : action, container };
}
