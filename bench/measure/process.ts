import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export type Usage = {
  /** CPU time in seconds. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Of these, what is its own: no pages of files. */
  readonly anonBytes: number;
  /** Bytes written to disk. */
  readonly writtenBytes: number;
};

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Reads the kernel's counters of a process. */
export function usageOf(pid: number | undefined): Usage {
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  // After the name, which may contain anything, utime and stime are the 12th and 13th field.
  const fields = read('stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
    rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(read('status'))?.[1]) * 1024,
    anonBytes: Number(/^RssAnon:\s+(\d+)/m.exec(read('status'))?.[1]) * 1024,
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(read('io'))?.[1]),
  };
}
