import { readFileSync } from 'node:fs';
import { measurementIn } from '../lib/measurement.ts';

/**
 * This process's hard limit of open files, as an estimate of dockerd's: a container that asks for more than dockerd may
 * grant does not start. undefined if it cannot be read.
 */
export function openFilesLimit(): number | undefined {
  try {
    const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return measurementIn(hard ?? '');
  } catch {
    return undefined;
  }
}
