import type { AgentEvent } from '../../../agent/events/events.ts';
import { type GpuLoad, together } from '../../../embedded/gpu/figures.ts';

/** What the jobs that run now ask of their GPUs, by what the agent does with them. */
export class JobLoads {
  readonly #loadOf: (functionName: string) => GpuLoad;
  readonly #running = new Map<string, { readonly gpu: string | null; readonly load: GpuLoad }>();

  constructor(loadOf: (functionName: string) => GpuLoad) {
    this.#loadOf = loadOf;
  }

  observe(event: AgentEvent): void {
    if (event.kind === 'job-started' || event.kind === 'job-adopted') {
      const { functionName, gpu, uuid } = event.job;
      this.#running.set(uuid, { gpu, load: this.#loadOf(functionName) });
    } else if (
      event.kind === 'job-ended' ||
      event.kind === 'job-cancelled' ||
      event.kind === 'job-release-queued'
    )
      this.#running.delete(event.job.uuid);
  }

  of(uuid: string): GpuLoad {
    return together([...this.#running.values()].flatMap(({ gpu, load }) => (gpu === uuid ? [load] : [])));
  }
}
