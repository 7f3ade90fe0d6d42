import { readFileSync } from 'node:fs';
import type { HostMemory } from '../domain/ports/host.ts';
import { measurement, measurementIn } from '../lib/measurement.ts';

/**
 * Reads the host's memory; undefined if that fails. One small file, because the agent reads it before each claim;
 * systeminformation takes 14 ms for it. `file` is for tests.
 */
export function readHostMemory(file = '/proc/meminfo'): HostMemory | undefined {
  const text = textOf(file);
  const totalBytes = kilobytes(text, 'MemTotal');
  const availableBytes = kilobytes(text, 'MemAvailable');
  return totalBytes === undefined || availableBytes === undefined
    ? undefined
    : { totalBytes, availableBytes };
}

/**
 * How many processes the kernel has killed for lack of memory since boot, of the host's or of a container's own limit;
 * undefined if the kernel does not count them. `file` is for tests.
 */
export function readOomKills(file = '/proc/vmstat'): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(textOf(file) ?? '')?.[1];
  return measurementIn(count ?? '');
}

function kilobytes(text: string | undefined, name: string): number | undefined {
  const amount = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1];
  const kilo = measurementIn(amount ?? '');
  return kilo === undefined ? undefined : measurement(kilo * 1024);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
