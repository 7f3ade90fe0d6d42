import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { openPage, type Page } from '../../../src/compose-page.ts';
import { ask } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import type { Route } from '../../../src/control-api/route.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import type { HostClock } from '../../../src/domain/ports/clock.ts';
import { http } from '../../../src/lib/http.ts';
import { Redactor } from '../../../src/lib/redactor.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { load } from '../config/load.ts';

const VERSION = '1.2.3';
const BODY = z.looseObject({
  error: z.looseObject({ code: z.string(), hint: z.string().nullable() }).optional(),
});

/** What is sent to a page; by default as the page itself would from its own origin. */
export type Asked = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
};

/** What came back; `body` is empty where it is no JSON. */
export type Got = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: z.infer<typeof BODY>;
};

/** What a browser keeps of a session. */
export type Kept = { readonly cookie: string; readonly key: string };

/** A page with routes of the test's own, over real HTTP, and the control socket beside it. It ends with the test. */
export class TestPage {
  readonly stateDir: string;
  readonly clock: ManualClock & Pick<HostClock, 'bootTime'>;
  readonly events: AgentEvent[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #routes: readonly Route[];
  #page: Page | undefined;
  #open: AsyncDisposableStack | undefined;

  private constructor(stateDir: string, env: Readonly<Record<string, string>>, routes: readonly Route[]) {
    this.stateDir = stateDir;
    this.#env = { SHAREDCLOUD_LISTEN: '127.0.0.1:0', ...env };
    this.#routes = routes;
    const clock = new ManualClock();
    this.clock = Object.assign(clock, { bootTime: () => ({ boot: '', upMs: clock.monotonic() }) });
  }

  /** Serves a page by options as environment variables. */
  static async open({
    env = {},
    routes = [],
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly routes?: readonly Route[];
  } = {}): Promise<TestPage> {
    const stateDir = await mkdtemp(join(tmpdir(), 'page-'));
    const page = new TestPage(stateDir, env, routes);
    onTestFinished(async () => {
      await page.stop();
      await rm(stateDir, { recursive: true, force: true });
    });
    await page.start();
    return page;
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await using opened = new AsyncDisposableStack();
    const { clock, stateDir } = this;
    const { config } = await load({ env: { ...this.#env, ...env } });
    const uid = process.getuid?.() ?? 0;
    const observe = (event: AgentEvent): void => void this.events.push(event);
    this.#page = await openPage(config, { stateDir, uid, clock, redactor: new Redactor(), observe });
    opened.use(
      await this.#page.serve(
        { routes: this.#routes, version: VERSION },
        { text: (format) => `# ${format}\n` },
      ),
    );
    const answering = { routes: this.#page.routes, version: VERSION };
    opened.use(await serveControl(socketsOf(stateDir, undefined), answering));
    this.#open = opened.move();
  }

  /** Ends it, as the end of the agent would. */
  async stop(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.disposeAsync();
  }

  /** Takes a configuration as SIGHUP would. */
  async reload(env: Readonly<Record<string, string>>): Promise<void> {
    await this.#page?.follow((await load({ env: { ...this.#env, ...env } })).config);
  }

  get problem() {
    return this.#page?.problem();
  }

  get port(): number {
    const served = this.events.findLast((event) => event.kind === 'page-served');
    if (served === undefined) throw new Error('the page is not served');
    return served.port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  /** A request on a connection of its own. */
  async ask(method: string, path: string, { body, headers = {} }: Asked = {}): Promise<Got> {
    const { promise, reject, resolve } = Promise.withResolvers<Got>();
    const request = http.request(
      {
        host: '127.0.0.1',
        port: this.port,
        method,
        path,
        agent: false,
        headers: {
          host: this.host,
          ...(method !== 'GET' && { origin: this.origin }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: bodyOf(text) }),
        );
        response.once('error', reject);
      },
    );
    request.once('error', reject);
    request.end(typeof body === 'object' ? JSON.stringify(body) : body);
    return promise;
  }

  /** The token of a new link, as the `page` command gets it. */
  async link(readOnly = false): Promise<string> {
    const { url } = await this.linkAnswer(readOnly);
    return new URL(url).hash.replace('#link=', '');
  }

  async linkAnswer(readOnly = false) {
    const asked = await ask(this.stateDir, ENDPOINTS.pageLink, { body: { readOnly }, caller: 'ada' }, 5_000);
    if (asked.kind !== 'answer') throw new Error(`the control socket is ${asked.kind}`);
    return asked.answer;
  }

  async signOutAll(): Promise<void> {
    await ask(this.stateDir, ENDPOINTS.pageSignOut, { body: {}, caller: 'ada' }, 5_000);
  }

  /** Signs in by a new link, or as the test says. */
  async signIn(by?: object): Promise<Kept> {
    return keptOf(await this.ask('POST', '/session', { body: by ?? { link: await this.link() } }));
  }
}

/** What a browser keeps of the answer to a sign-in. */
export function keptOf({ body, headers }: Got): Kept {
  const cookie = headers['set-cookie']?.[0]?.split(';', 1)[0];
  if (cookie === undefined || typeof body['key'] !== 'string') throw new Error('nobody was signed in');
  return { cookie, key: body['key'] };
}

/** The headers that the page sends with a session. */
export function headersOf({ cookie, key }: Kept): Record<string, string> {
  return { cookie, 'x-sharedcloud-key': key };
}

function bodyOf(text: string): Got['body'] {
  try {
    return BODY.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
