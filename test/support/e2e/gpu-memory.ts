import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { TestEngine } from '../engine/docker.ts';
import type { Machine } from '../nvidia-smi/machine.ts';
import type { StandIn } from '../nvidia-smi/stand-in.ts';

const EVENT = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

/** What a job uses, in MiB: far more than the tolerance. */
export const JOB_MIB = 8_000;

/**
 * Lets nvidia-smi show what jobs use of GPUs: from the start of a container until `heldMs` after its end, as a driver does
 * that frees the memory of a killed process late. Only containers of the state directory whose jobs `isMine` knows.
 */
export class GpuMemory implements AsyncDisposable {
  readonly #smi: StandIn;
  readonly #machine: Machine;
  readonly #heldMs: number;
  readonly #end = new AbortController();
  /** The uuid of the GPU of each container that holds memory, with the process as nvidia-smi shows it. */
  readonly #held = new Map<string, { readonly gpu: string; readonly pid: number }>();
  #shown: Promise<void> = Promise.resolve();

  private constructor(smi: StandIn, machine: Machine, heldMs: number) {
    this.#smi = smi;
    this.#machine = machine;
    this.#heldMs = heldMs;
  }

  /** Settles once the engine tells of containers. */
  static async follow(
    engine: TestEngine,
    {
      heldMs,
      isMine,
      machine,
      smi,
    }: {
      readonly smi: StandIn;
      readonly machine: Machine;
      readonly heldMs: number;
      readonly isMine: (job: string) => boolean;
    },
  ): Promise<GpuMemory> {
    const memory = new GpuMemory(smi, machine, heldMs);
    const filters = JSON.stringify({
      type: ['container'],
      event: ['start', 'die'],
      label: ['sharedcloud.job'],
    });
    const stream = await engine.docker.getEvents({ filters, abortSignal: memory.#end.signal });
    void memory.#take(engine, stream, isMine);
    return memory;
  }

  /** The processes that hold memory of a GPU now. */
  holdersOf(gpu: string): readonly number[] {
    return [...this.#held.values()].filter((one) => one.gpu === gpu).map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#shown;
  }

  async #take(
    engine: TestEngine,
    stream: NodeJS.ReadableStream,
    isMine: (job: string) => boolean,
  ): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of stream) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const { Action, Actor } = EVENT.parse(JSON.parse(line));
          if (!isMine(Actor.Attributes['sharedcloud.job'] ?? '')) continue;
          if (Action === 'start') await this.#started(engine, Actor.ID);
          else void this.#ended(Actor.ID);
        }
      }
    } catch (thrown) {
      if (!this.#end.signal.aborted) throw thrown;
    }
  }

  async #started(engine: TestEngine, id: string): Promise<void> {
    const text = JSON.stringify(await engine.docker.getContainer(id).inspect());
    const gpu = this.#machine.gpus.map(({ cells }) => cells['uuid'] ?? '').find((one) => text.includes(one));
    const pid = Number(/"Pid":(\d+)/.exec(text)?.[1]);
    if (gpu === undefined) return;
    this.#held.set(id, { gpu, pid });
    await this.#show();
  }

  async #ended(id: string): Promise<void> {
    const waited = await pause(this.#heldMs, true, { signal: this.#end.signal }).catch(() => false);
    if (!waited || !this.#held.delete(id)) return;
    await this.#show();
  }

  /** One after the other, so that the last one stays. */
  #show(): Promise<void> {
    this.#shown = this.#shown.then(() => this.#smi.become(this.#now()));
    return this.#shown;
  }

  #now(): Machine {
    const held = [...this.#held.values()];
    const gpus = this.#machine.gpus.map((gpu) => {
      const jobs = held.filter((one) => one.gpu === gpu.cells['uuid']).length;
      return { ...gpu, cells: { ...gpu.cells, 'memory.used': String(4 + jobs * JOB_MIB) } };
    });
    const processes = held.map(({ gpu, pid }) => ({ pid, gpu, used: String(JOB_MIB) }));
    return { ...this.#machine, gpus, processes };
  }
}
