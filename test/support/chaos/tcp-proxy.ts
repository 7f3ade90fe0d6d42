import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a proxy does to the connections that it has, and to those that come. */
export type Weather =
  /** Passes everything on. */
  | 'pass'
  /** Nobody listens, and what was open is closed. */
  | 'refuse'
  /** Takes connections and all that is sent, and never says anything: a cable that was pulled, a firewall that drops. */
  | 'blackhole'
  /** Every connection is reset, new ones at once. */
  | 'reset'
  /** What is asked goes through; of each answer come the first bytes, then the connection is reset. */
  | 'cut-midway'
  /** What is open is dead and nobody says so, as after a long sleep; new connections are fine. */
  | 'half-open';

/** Of an answer that is cut midway, so many bytes come through: not even its headers. */
const CUT_AFTER_BYTES = 60;

/** A TCP proxy whose weather can be changed at any time, for what is open too. */
export class TcpProxy implements AsyncDisposable {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<{ readonly near: Socket; readonly far: Socket; dead: boolean }>();
  #swallowed = 0;
  #server: Server | undefined;
  #port = 0;
  #weather: Weather = 'pass';

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
  }

  /** Opens a proxy before this address. */
  static async open(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target));
    await proxy.#listen();
    return proxy;
  }

  /** The address to use instead of the target's. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How many bytes were sent into the dark so far. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Changes the weather; what is under way gets it at once. */
  async set(weather: Weather): Promise<void> {
    this.#weather = weather;
    if (weather === 'refuse') await this.#close();
    else if (this.#server === undefined) await this.#listen();
    if (weather === 'half-open') for (const pair of this.#pairs) pair.dead = true;
    // After the dark too: a peer that comes back knows nothing of what was open before, and says so.
    if (weather === 'reset' || weather === 'pass') this.#cutAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cutAll();
    await this.#close();
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near));
    await new Promise<void>((listening, failed) => {
      server.once('error', failed).listen(this.#port, '127.0.0.1', listening);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.#port = address.port;
    this.#server = server;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    this.#cutAll();
    await new Promise((closed) => {
      server.close(closed);
    });
  }

  #cutAll(): void {
    for (const { far, near } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  #accept(near: Socket): void {
    if (this.#weather === 'reset') {
      near.on('error', ignore).resetAndDestroy();
      return;
    }
    const far = connect(this.#target);
    const pair = { near, far, dead: false };
    const dark = (): boolean => pair.dead || this.#weather === 'blackhole';
    this.#pairs.add(pair);
    let answered = 0;
    near.on('data', (chunk: Buffer) => {
      if (dark()) this.#swallowed += chunk.length;
      else far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (dark()) return;
      if (this.#weather !== 'cut-midway') {
        near.write(chunk);
        return;
      }
      near.write(chunk.subarray(0, Math.max(CUT_AFTER_BYTES - answered, 0)), () => near.resetAndDestroy());
      answered += chunk.length;
    });
    near.on('end', () => far.end());
    far.on('end', () => {
      if (!dark()) near.end();
    });
    near.on('error', ignore).on('close', () => {
      this.#pairs.delete(pair);
      far.destroy();
    });
    far.on('error', ignore).on('close', () => {
      // In the dark the near side does not hear that the far side is gone.
      if (!dark()) near.destroy();
    });
  }
}

/** A connection that fails is what this is for. */
function ignore(): void {}
