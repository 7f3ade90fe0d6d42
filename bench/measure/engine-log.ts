import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { until } from './until.ts';

const EVENT = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
  timeNano: z.number(),
});

/** The engine's own timestamps of containers, by their job label, in milliseconds since the epoch. */
export class EngineLog implements AsyncDisposable {
  readonly #moments = new Map<string, number>();
  readonly #over = new AbortController();

  private constructor() {}

  static async open(docker: Docker): Promise<EngineLog> {
    const log = new EngineLog();
    const filters = JSON.stringify({ type: ['container'], event: ['create', 'start', 'die', 'destroy'] });
    const stream = await docker.getEvents({ filters, abortSignal: log.#over.signal });
    if (!(stream instanceof Readable)) throw new Error('the engine’s events are no stream');
    const lines = createInterface(stream);
    lines.on('line', (line) => {
      const { Action, Actor, timeNano } = EVENT.parse(JSON.parse(line));
      log.#moments.set(key(Actor.Attributes['sharedcloud.job'] ?? '', Action), timeNano / 1e6);
    });
    // Ends when it is closed.
    lines.on('error', () => lines.close());
    return log;
  }

  /** Waits for an event of the job's container; returns its time. */
  async at(job: string, action: 'create' | 'start' | 'die' | 'destroy'): Promise<number> {
    const at = (): number | undefined => this.#moments.get(key(job, action));
    await until(`${action} of ${job}`, () => at() !== undefined);
    return at() ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
  }
}

const key = (job: string, action: string): string => `${action} ${job}`;
