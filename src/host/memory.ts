import { readFileSync } from 'node:fs';
import type { HostMemory } from '../domain/ports/host.ts';

/** Reads what the kernel says of the memory; undefined where it cannot be read. `file` is for tests. */
export function readHostMemory(file = '/proc/meminfo'): HostMemory | undefined {
  const text = textOf(file);
  const totalBytes = kilobytes(text, 'MemTotal');
  const availableBytes = kilobytes(text, 'MemAvailable');
  return totalBytes === undefined || availableBytes === undefined
    ? undefined
    : { totalBytes, availableBytes };
}

/**
 * How many processes the kernel has killed for want of memory since the boot, be it the host's or a container's own;
 * undefined where it does not say. `file` is for tests.
 */
export function readOomKills(file = '/proc/vmstat'): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(textOf(file) ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

function kilobytes(text: string | undefined, name: string): number | undefined {
  const amount = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1];
  return amount === undefined ? undefined : Number(amount) * 1024;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
