import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as realDelay } from 'node:timers/promises';
import { vi } from 'vitest';
import { z } from 'zod';

/** How far time goes at once while nothing but timers is waited for, in milliseconds. */
const STEP_MS = 50;

/** Nothing that a test waits for takes longer than this, in milliseconds of virtual time. */
const LONGEST_MS = 10 * 60_000;

const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

const ENDS = ['undici:request:trailers', 'undici:request:error'];

/** Of a message of undici, the request itself: the one that began is the one that ends. */
const MESSAGE = z.object({
  request: z.custom<{ readonly path: string }>(
    (value) => typeof value === 'object' && value !== null && 'path' in value,
  ),
});

/** Accesses to files, as Node.js names them among what keeps a process busy. */
const FILE_ACCESS = new Set(['FSReqCallback', 'FSReqPromise']);

/**
 * The timers and clocks of this process. While a call to a broker, an access to a file or a child process is in
 * progress, time goes as it really does, so that no deadline passes sooner than it would; while only timers are waited
 * for, it goes much faster.
 */
export class VirtualTime implements AsyncDisposable {
  /** How long only timers were waited for so far, in milliseconds: the same on a fast and on a busy machine. */
  waitedMs = 0;
  readonly #calls = new Set<unknown>();
  readonly #realNow = performance.now.bind(performance);
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #passing = 0;
  #stepMs = STEP_MS;

  constructor() {
    vi.useFakeTimers({ toFake: [...FAKED] });
    subscribe('undici:request:create', this.#began);
    for (const name of ENDS) subscribe(name, this.#ended);
    this.#running = this.#run();
  }

  /** Lets so much time pass, in milliseconds; child processes that run do not slow it down. */
  async pass(ms: number): Promise<void> {
    const until = performance.now() + ms;
    await this.passUntil(() => performance.now() >= until);
  }

  /**
   * Lets time pass until the condition is met; child processes that run do not slow it down. In longer steps, of `stepMs`
   * milliseconds, timers are later by as much.
   */
  async passUntil(condition: () => boolean, stepMs: number = STEP_MS): Promise<void> {
    const latest = this.waitedMs + LONGEST_MS;
    this.#passing += 1;
    this.#stepMs = stepMs;
    try {
      while (!condition()) {
        if (this.waitedMs > latest) throw new Error(`the condition is not met after ${LONGEST_MS} ms`);
        await realDelay(1);
      }
    } finally {
      this.#passing -= 1;
      this.#stepMs = STEP_MS;
    }
  }

  /** Lets hours pass in long steps, by which timers are later, while nothing but timers is waited for; jobs run as they really do. */
  async passLong(ms: number, stepMs: number): Promise<void> {
    const until = performance.now() + ms;
    this.#stepMs = stepMs;
    try {
      while (performance.now() < until) await realDelay(1);
    } finally {
      this.#stepMs = STEP_MS;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
    unsubscribe('undici:request:create', this.#began);
    for (const name of ENDS) unsubscribe(name, this.#ended);
    vi.useRealTimers();
  }

  async #run(): Promise<void> {
    let last = this.#realNow();
    while (!this.#end.signal.aborted) {
      await realDelay(1);
      const now = this.#realNow();
      const isIdle = this.#isIdle();
      if (isIdle) this.waitedMs += this.#stepMs;
      vi.advanceTimersByTime(isIdle ? this.#stepMs : now - last);
      last = now;
    }
  }

  #isIdle(): boolean {
    if (this.#calls.size > 0) return false;
    const busy = process.getActiveResourcesInfo();
    if (busy.some((name) => FILE_ACCESS.has(name))) return false;
    return this.#passing > 0 || !busy.includes('ProcessWrap');
  }

  readonly #began = (message: unknown): void => {
    const { request } = MESSAGE.parse(message);
    // A broker holds an offer’s call for runs until there is something new.
    if (!/\/runs\?(?:.*&)?instance=/.test(request.path)) this.#calls.add(request);
  };

  readonly #ended = (message: unknown): void => {
    this.#calls.delete(MESSAGE.parse(message).request);
  };
}
