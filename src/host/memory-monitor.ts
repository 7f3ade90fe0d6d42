import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryFacts } from '../domain/oom.ts';
import type { MemoryMonitor, MemoryObservation } from '../domain/ports/host.ts';
import { readHostMemory, readOomKills } from './memory.ts';

/** How often the available memory is read while containers run, in milliseconds. */
const SAMPLE_MS = 500;

/** A kill so long after memory was short may be due to that, in milliseconds. */
const SHORT_FOR_MS = 10_000;

/** earlyoom kills below this part of the memory by default. */
const SHORT_PART = 0.1;

/** Docker's cgroups are at most so deep below the root. */
const MAX_DEPTH = 5;

/** Where to read; for tests. */
export type MemoryFiles = { readonly cgroups: string; readonly meminfo: string; readonly vmstat: string };

const FILES: MemoryFiles = { cgroups: '/sys/fs/cgroup', meminfo: '/proc/meminfo', vmstat: '/proc/vmstat' };

/** The counters of a `memory.events`. */
export type MemoryEvents = { readonly limitsReached: number; readonly kills: number };

/** Reads the memory files of `/proc` and of cgroup v2, which need no privileges. */
export class HostMemoryMonitor implements MemoryMonitor {
  readonly #files: MemoryFiles;
  readonly #now: () => number;
  readonly #watches = new Set<object>();
  #timer: NodeJS.Timeout | undefined;
  #shortAt = Number.NEGATIVE_INFINITY;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number, files: MemoryFiles = FILES) {
    this.#now = now;
    this.#files = files;
  }

  watch(container: string): MemoryObservation {
    const { cgroups, vmstat } = this.#files;
    const killsBefore = readOomKills(vmstat);
    const own = findCgroup(cgroups, container);
    const parent = own === undefined ? undefined : join(own, '..', 'memory.events');
    const before = parent === undefined ? undefined : readMemoryEvents(parent);
    const watch = {
      facts: (): MemoryFacts => {
        this.#sample();
        const kills = readOomKills(vmstat);
        // The container's own counters are gone with its cgroup; its parent keeps the sum of all.
        const after = parent === undefined ? undefined : readMemoryEvents(parent);
        return {
          kernelKills: kills === undefined || killsBefore === undefined ? undefined : kills - killsBefore,
          cgroup:
            before === undefined || after === undefined
              ? undefined
              : {
                  limitsReached: after.limitsReached - before.limitsReached,
                  kills: after.kills - before.kills,
                },
          unified: existsSync(join(cgroups, 'cgroup.controllers')),
          wasShort: this.#now() - this.#shortAt < SHORT_FOR_MS,
        };
      },
      [Symbol.dispose]: (): void => {
        this.#watches.delete(watch);
        if (this.#watches.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
    this.#watches.add(watch);
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS);
    return watch;
  }

  #sample(): void {
    const memory = readHostMemory(this.#files.meminfo);
    if (memory !== undefined && memory.availableBytes < memory.totalBytes * SHORT_PART)
      this.#shortAt = this.#now();
  }
}

/** The counters of a `memory.events` file of cgroup v2; undefined: there is none that can be read. */
export function readMemoryEvents(file: string): MemoryEvents | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const count = (name: string): number | undefined => {
      const digits = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
      return digits === undefined ? undefined : Number(digits);
    };
    const limitsReached = count('oom');
    const kills = count('oom_kill');
    return limitsReached === undefined || kills === undefined ? undefined : { limitsReached, kills };
  } catch {
    return undefined;
  }
}

/** The folder of a container's cgroup, named `<id>` or `docker-<id>.scope`; undefined: cgroup v1, or not visible. */
export function findCgroup(root: string, container: string): string | undefined {
  if (container.length < 12 || !existsSync(join(root, 'cgroup.controllers'))) return undefined;
  let folders = [root];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const inside = folders.flatMap(foldersIn);
    const found = inside.find((folder) => folder.includes(container, folder.lastIndexOf('/')));
    if (found !== undefined) return found;
    folders = inside;
  }
  return undefined;
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}
