import { type AgentError, asAgentError } from '../../../domain/errors.ts';
import type { EngineFacts } from '../engine/facts.ts';
import { type Injected, injectionError } from '../engine/injection-error.ts';
import { type GpuInjection, gpuInjectionCandidates, type InjectionNeeds } from './gpu-injection.ts';

/** The ways that failed for one GPU; they count only while it has the same candidates. */
type Failures = { readonly candidates: string; readonly injections: Set<GpuInjection> };

/** `teaches`: a failure of this container is the engine's; one of a stranger's image may be that image's own. */
type Chosen = Injected & { readonly teaches: boolean };

/** Chooses how each GPU is given to its next container: the first candidate that has not failed for this GPU. */
export class GpuInjector {
  readonly #needs: InjectionNeeds;
  readonly #failures = new Map<string, Failures>();
  /** By the id of a container that has not started. */
  readonly #unstarted = new Map<string, Chosen>();

  constructor(needs: InjectionNeeds) {
    this.#needs = needs;
  }

  /** The way for the next container with this GPU; undefined for none. After all candidates failed, it starts over. */
  choose(gpu: string | null, facts: EngineFacts, teaches: boolean): Chosen | undefined {
    if (gpu === null) return undefined;
    const candidates = gpuInjectionCandidates(this.#needs, facts, gpu);
    const key = candidates.join();
    const known = this.#failures.get(gpu);
    const failures =
      known?.candidates === key ? known : { candidates: key, injections: new Set<GpuInjection>() };
    const left = candidates.find((injection) => !failures.injections.has(injection));
    if (left === undefined) failures.injections.clear();
    this.#failures.set(gpu, failures);
    return { gpu, injection: left ?? candidates[0], facts, teaches };
  }

  created(id: string, injected: Chosen | undefined): void {
    if (injected !== undefined) this.#unstarted.set(id, injected);
  }

  /** The container has started or is gone. */
  settled(id: string): void {
    this.#unstarted.delete(id);
  }

  /** A failed start of this container, as `fault` says. */
  startFault(id: string, thrown: unknown): AgentError | undefined {
    return this.fault(this.#unstarted.get(id), thrown);
  }

  /** GPU_INJECTION_FAILED if this way failed; the GPU's next container tries the next if that teaches so. */
  fault(injected: Chosen | undefined, thrown: unknown): AgentError | undefined {
    if (injected === undefined) return undefined;
    const fault = injectionError(asAgentError(thrown).cause, injected);
    if (fault !== undefined && injected.teaches)
      this.#failures.get(injected.gpu)?.injections.add(injected.injection);
    return fault;
  }
}
