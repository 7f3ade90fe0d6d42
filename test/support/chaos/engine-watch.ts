import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { TestEngine } from '../engine/docker.ts';

const EVENT = z.object({
  Type: z.string(),
  Action: z.string(),
  timeNano: z.number(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});
type EngineEvent = z.infer<typeof EVENT>;

/** How long after the engine broke off it is asked again. */
const AGAIN_MS = 200;

/** What the engine itself says of the containers of one job. */
type Life = {
  starts: number;
  ends: number;
  readonly containers: Set<string>;
  readonly destroyed: Set<string>;
};

/**
 * Counts by the engine's own events, from before the first job until the end. The engine remembers only its last 256
 * events, so they are listened to all the time and not asked for afterwards.
 */
export class EngineWatch implements AsyncDisposable {
  readonly #engine: TestEngine;
  readonly #end = new AbortController();
  readonly #jobs = new Map<string, Life>();
  readonly #jobOfContainer = new Map<string, string>();
  /** Volumes that were mounted in containers of jobs and that were not removed since. */
  readonly #volumes = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #reading: Promise<void>;
  #seen = new Set<string>();
  #since = Math.floor(Date.now() / 1000) - 1;
  #lost: unknown;

  private constructor(engine: TestEngine, ready: () => void) {
    this.#engine = engine;
    this.#reading = this.#read(ready);
  }

  /** Settles once the engine tells its events. */
  static async open(engine: TestEngine): Promise<EngineWatch> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = new EngineWatch(engine, resolve);
    await promise;
    return watch;
  }

  /** How often the engine has started a container for the job. */
  starts(job: string): number {
    return this.#jobs.get(job)?.starts ?? 0;
  }

  /** How often a container was started for a job that was started at least once: waits for the first start. */
  async startsOf(job: string): Promise<number> {
    await this.until(() => this.starts(job) > 0);
    return this.starts(job);
  }

  /** How often a container of the job has ended. */
  ends(job: string): number {
    return this.#jobs.get(job)?.ends ?? 0;
  }

  /** The containers of these jobs that the engine has made and not removed. */
  leftOf(jobs: readonly string[]): readonly string[] {
    return jobs.flatMap((job) => {
      const { containers, destroyed } = this.#jobs.get(job) ?? { containers: [], destroyed: new Set() };
      return [...containers].filter((container) => !destroyed.has(container));
    });
  }

  /** Volumes that containers of any job have used and that are still there. */
  get volumes(): readonly string[] {
    return [...this.#volumes];
  }

  /** Waits until `condition` holds; looks again after every event. Throws where events may have been missed. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#lost !== undefined) throw new Error('the engine’s events were lost', { cause: this.#lost });
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#reading;
  }

  async #read(ready: () => void): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        const filters = JSON.stringify({ type: ['container', 'volume'] });
        const options = { since: this.#since, filters, abortSignal: signal };
        const stream = await this.#engine.docker.getEvents(options);
        ready();
        let text = '';
        for await (const chunk of stream) {
          text += String(chunk);
          const lines = text.split('\n');
          text = lines.pop() ?? '';
          for (const line of lines) if (line !== '') this.#take(EVENT.parse(JSON.parse(line)));
        }
      } catch (thrown) {
        if (!signal.aborted && thrown instanceof z.ZodError) this.#lost = thrown;
      }
      this.#ring();
      if (!signal.aborted) await pause(AGAIN_MS);
    }
  }

  /** After the engine broke off, some events come a second time. */
  #take(event: EngineEvent): void {
    const { Action, Actor, Type, timeNano } = event;
    const key = `${timeNano} ${Action} ${Actor.ID}`;
    if (this.#seen.has(key)) return;
    const second = Math.floor(timeNano / 1e9);
    if (second > this.#since) this.#seen = new Set();
    this.#since = Math.max(second, this.#since);
    this.#seen.add(key);
    if (Type === 'volume') this.#takeVolume(Action, Actor);
    else this.#takeContainer(Action, Actor);
    this.#ring();
  }

  #takeContainer(action: string, { Attributes, ID }: EngineEvent['Actor']): void {
    const job = Attributes['sharedcloud.job'];
    if (job === undefined) return;
    const life = this.#jobs.get(job) ?? { starts: 0, ends: 0, containers: new Set(), destroyed: new Set() };
    this.#jobs.set(job, life);
    this.#jobOfContainer.set(ID, job);
    if (action === 'create') life.containers.add(ID);
    if (action === 'start') life.starts += 1;
    if (action === 'die') life.ends += 1;
    if (action === 'destroy') life.destroyed.add(ID);
  }

  #takeVolume(action: string, { Attributes, ID }: EngineEvent['Actor']): void {
    if (action === 'destroy') this.#volumes.delete(ID);
    if (action === 'mount' && this.#jobOfContainer.has(Attributes['container'] ?? '')) this.#volumes.add(ID);
  }

  #ring(): void {
    for (const listener of this.#listeners) listener();
  }
}
