import type { MigParents } from '../../domain/gpu-cordon.ts';

/** Which jobs and canaries are on which GPU now; those on a slice count for its GPU. */
export class GpuTenants {
  readonly #parents: () => MigParents;
  readonly #onChange: () => void;
  readonly #tenants = new Map<string, Set<string>>();
  readonly #versions = new Map<string, number>();

  /** `onChange` is called whenever a tenant has come or gone. */
  constructor(parents: () => MigParents, onChange = (): void => undefined) {
    this.#parents = parents;
    this.#onChange = onChange;
  }

  /** Whether any GPU has a tenant. */
  get isAnyBusy(): boolean {
    return [...this.#tenants.values()].some(({ size }) => size > 0);
  }

  enter(uuid: string, tenant: string): void {
    const gpu = this.#gpu(uuid);
    const tenants = this.#tenants.get(gpu) ?? new Set();
    if (tenants.has(tenant)) return;
    this.#tenants.set(gpu, tenants.add(tenant));
    this.#changed(gpu);
  }

  /** Answers whether the tenant was there. */
  leave(uuid: string, tenant: string): boolean {
    const gpu = this.#gpu(uuid);
    if (this.#tenants.get(gpu)?.delete(tenant) !== true) return false;
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

  /** A number per GPU that changes whenever a tenant comes or goes. */
  get versions(): ReadonlyMap<string, number> {
    return new Map(this.#versions);
  }

  /** Whether the GPU has had no tenant since the versions were those. */
  wasIdle(uuid: string, since: ReadonlyMap<string, number>): boolean {
    const gpu = this.#gpu(uuid);
    return this.isEmpty(gpu) && (since.get(gpu) ?? 0) === (this.#versions.get(gpu) ?? 0);
  }

  #gpu(uuid: string): string {
    return this.#parents().get(uuid) ?? uuid;
  }

  #changed(gpu: string): void {
    this.#versions.set(gpu, (this.#versions.get(gpu) ?? 0) + 1);
    this.#onChange();
  }
}
