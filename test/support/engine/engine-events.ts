import type Docker from 'dockerode';
import { vi } from 'vitest';
import { z } from 'zod';

const EVENT = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
  timeNano: z.number(),
});

type Seen = z.infer<typeof EVENT>;

/**
 * What an engine does to containers, across its lives: an engine forgets its events when it ends, so they are kept
 * here as they come.
 */
export class EngineEvents {
  readonly #docker: Docker;
  readonly #seen: Seen[] = [];
  readonly #over = new AbortController();
  /** Where the first life of the engine that is followed began, in seconds since the epoch. */
  readonly #since = Math.floor(Date.now() / 1000);

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Follows an engine that has just started, from its first event, until it ends. */
  async follow(): Promise<void> {
    const filters = JSON.stringify({ type: ['container'] });
    const abortSignal = this.#over.signal;
    const stream = await this.#docker.getEvents({ since: this.#since, filters, abortSignal });
    void this.#take(stream);
  }

  /** How often a container of this job was started. */
  async startsOf(job: string): Promise<number> {
    return (await this.of(job)).filter((action) => action === 'start').length;
  }

  /** The job of each start so far, in order. */
  async startedJobs(): Promise<readonly string[]> {
    await this.#caughtUp();
    const starts = this.#seen.filter(({ Action }) => Action === 'start');
    return starts.flatMap(({ Actor }) => Actor.Attributes['sharedcloud.job'] ?? []);
  }

  /** What has happened to containers of this job, in order, such as `create`, `start`, `kill`, `die`, `destroy`. */
  async of(job: string): Promise<readonly string[]> {
    await this.#caughtUp();
    return this.#seen
      .filter(({ Actor }) => Actor.Attributes['sharedcloud.job'] === job)
      .map(({ Action }) => Action);
  }

  close(): void {
    this.#over.abort();
  }

  /** Waits for an event of now, by making one: what came before it has been seen then. */
  async #caughtUp(): Promise<void> {
    const [image] = await this.#docker.listImages();
    if (image === undefined) return;
    const { id } = await this.#docker.createContainer({ Image: image.Id, Cmd: ['none'] });
    await this.#docker.getContainer(id).remove();
    await vi.waitFor(() => {
      if (!this.#seen.some(({ Action, Actor }) => Actor.ID === id && Action === 'destroy'))
        throw new Error('the engine’s events have not come yet');
    }, 10_000);
  }

  async #take(stream: NodeJS.ReadableStream): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of stream) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') this.#seen.push(EVENT.parse(JSON.parse(line)));
      }
    } catch (thrown) {
      // An engine that is killed breaks the stream off; what it had sent until then is here.
      if (thrown instanceof z.ZodError) throw thrown;
    }
  }
}
