import type { MigParents } from '../../domain/gpu-cordon.ts';

/** Which of our jobs and canaries are on which GPU now; slices count for their GPU. */
export class GpuTenants {
  readonly #parents: () => MigParents;
  readonly #tenants = new Map<string, Set<string>>();
  readonly #changes = new Map<string, number>();

  constructor(family: () => MigParents) {
    this.#parents = family;
  }

  enter(uuid: string, guest: string): void {
    const gpu = this.#gpu(uuid);
    const guests = this.#tenants.get(gpu) ?? new Set();
    if (guests.has(guest)) return;
    this.#tenants.set(gpu, guests.add(guest));
    this.#changed(gpu);
  }

  /** Answers whether the guest was there. */
  leave(uuid: string, guest: string): boolean {
    const gpu = this.#gpu(uuid);
    if (this.#tenants.get(gpu)?.delete(guest) !== true) return false;
    this.#changed(gpu);
    return true;
  }

  isEmpty(uuid: string): boolean {
    return (this.#tenants.get(this.#gpu(uuid))?.size ?? 0) === 0;
  }

  /** Those on the GPU, or on the GPU that a slice is cut from. */
  tenants(uuid: string): readonly string[] {
    return [...(this.#tenants.get(this.#gpu(uuid)) ?? [])];
  }

  /** A number that differs after anybody has come or gone. */
  version(uuid: string): number {
    return this.#changes.get(this.#gpu(uuid)) ?? 0;
  }

  /** The versions of all GPUs that anybody was ever on. */
  get versions(): ReadonlyMap<string, number> {
    return new Map(this.#changes);
  }

  #gpu(uuid: string): string {
    return this.#parents().get(uuid) ?? uuid;
  }

  #changed(gpu: string): void {
    this.#changes.set(gpu, (this.#changes.get(gpu) ?? 0) + 1);
  }
}
