import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Version 1 has a tree for each kind of limit, version 2 has one for all. */
const V1 = join(ROOT, 'memory');
const isV1 = existsSync(join(V1, 'cgroup.procs'));

/** Why no cgroup can be made here; undefined: one can. */
export function whyNoCgroup(): string | undefined {
  try {
    using _ = new MemoryCgroup();
    return undefined;
  } catch (thrown) {
    return `no memory cgroup can be made: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** A memory cgroup. Disposing removes it, once no process is in it. */
export class MemoryCgroup implements Disposable {
  readonly path = join(isV1 ? V1 : ROOT, `sharedcloud-fuzz-${randomUUID()}`);

  /** Throws where this user or this kernel cannot. `maxBytes`: the kernel kills what needs more. */
  constructor(maxBytes?: number) {
    mkdirSync(this.path);
    try {
      // Read at least, so that a tree without this limit does not pass.
      memoryHeld(this.path);
      if (maxBytes !== undefined) this.#limit(maxBytes);
    } catch (thrown) {
      rmdirSync(this.path);
      throw thrown;
    }
  }

  /** The file to which a process writes its id to join. */
  get procs(): string {
    return join(this.path, 'cgroup.procs');
  }

  [Symbol.dispose](): void {
    rmdirSync(this.path);
  }

  #limit(bytes: number): void {
    const write = (file: string, text: string): void => writeFileSync(join(this.path, file), text);
    write(isV1 ? 'memory.limit_in_bytes' : 'memory.max', String(bytes));
    const swap = isV1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max';
    if (existsSync(join(this.path, swap))) write(swap, isV1 ? String(bytes) : '0');
  }
}

/**
 * What the processes in the cgroup at a path hold, in bytes: their own pages and what the kernel holds for them, without the
 * cache of files, which the kernel takes back as it likes.
 */
export function memoryHeld(path: string): number {
  const read = (file: string): string => readFileSync(join(path, file), 'utf8');
  const stat = read('memory.stat');
  const field = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(stat)?.[1] ?? 0);
  if (isV1) return field('rss') + Number(read('memory.kmem.usage_in_bytes'));
  return field('anon') + field('kernel') + field('sock');
}
