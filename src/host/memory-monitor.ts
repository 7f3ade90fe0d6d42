import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryFacts } from '../domain/oom.ts';
import type { MemoryMonitor, MemoryObservation } from '../domain/ports/host.ts';
import { measurementIn } from '../lib/measurement.ts';
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
  readonly #watches = new Set<{ readonly count: () => void }>();
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
    const counters = own === undefined ? undefined : new ContainerEvents(own);
    const watch = {
      count: (): void => counters?.count(),
      facts: (): MemoryFacts => {
        this.#sample();
        const kills = readOomKills(vmstat);
        return {
          kernelKills: kills === undefined || killsBefore === undefined ? undefined : kills - killsBefore,
          cgroup: counters?.sinceStart(),
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
    for (const { count } of this.#watches) count();
  }
}

/**
 * What `memory.events` counts of one container. Its own counters are gone with its cgroup; its parent keeps the sum of
 * all. So of that sum only what came after its own counters were last read may be its own.
 */
class ContainerEvents {
  readonly #own: string;
  readonly #parent: string;
  readonly #ownBefore: MemoryEvents | undefined;
  #ownLast: MemoryEvents | undefined;
  #parentLast: MemoryEvents | undefined;

  constructor(cgroup: string) {
    this.#own = join(cgroup, 'memory.events');
    this.#parent = join(cgroup, '..', 'memory.events');
    this.#ownBefore = readMemoryEvents(this.#own);
    this.#ownLast = this.#ownBefore;
    this.#parentLast = readMemoryEvents(this.#parent);
  }

  /** Reads the counters. */
  count(): void {
    // The parent first: what the container adds in between is counted twice, rather than not at all.
    const parent = readMemoryEvents(this.#parent);
    const own = readMemoryEvents(this.#own);
    if (parent === undefined || own === undefined || this.#ownBefore === undefined) return;
    this.#parentLast = parent;
    this.#ownLast = own;
  }

  /** How much the container has added, as far as is known; undefined: nothing is. */
  sinceStart(): MemoryEvents | undefined {
    const parent = readMemoryEvents(this.#parent);
    if (parent === undefined || this.#parentLast === undefined) return undefined;
    const seen = (of: keyof MemoryEvents): number =>
      (this.#ownLast?.[of] ?? 0) - (this.#ownBefore?.[of] ?? 0);
    return {
      limitsReached: seen('limitsReached') + parent.limitsReached - this.#parentLast.limitsReached,
      kills: seen('kills') + parent.kills - this.#parentLast.kills,
    };
  }
}

/** The counters of a `memory.events` file of cgroup v2; undefined: there is none that can be read. */
export function readMemoryEvents(file: string): MemoryEvents | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const count = (name: string): number | undefined => {
      const digits = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
      return measurementIn(digits ?? '');
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
  return existsSync(join(root, 'cgroup.controllers')) ? searchCgroup(root, container) : undefined;
}

/** The folder of a container below this one, of either version of cgroups; undefined: none, or not visible. */
export function searchCgroup(root: string, container: string): string | undefined {
  if (container.length < 12) return undefined;
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
