import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noneRuns } from '../../../src/host/container-processes.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const ID = 'f'.repeat(64);
type Process = { readonly comm?: string; readonly cmdline?: string; readonly cgroup?: string };
const KTHREADD: Process = { comm: 'kthreadd\n' };

/** A process list; a folder in place of a file cannot be read. */
function proc(processes: Readonly<Record<string, Process>>): string {
  const path = scratchDir();
  for (const [pid, { cgroup = '0::/init.scope\n', cmdline = '', comm = 'sh\n' }] of Object.entries(
    processes,
  )) {
    mkdirSync(join(path, pid));
    for (const [file, text] of Object.entries({ cgroup, cmdline, comm }))
      if (text === 'unreadable') mkdirSync(join(path, pid, file));
      else writeFileSync(join(path, pid, file), text);
  }
  return path;
}

test.each<[boolean, string, Readonly<Record<string, Process>>]>([
  [true, 'no process has its id', { 1: {}, 2: KTHREADD, 77: { cmdline: 'sleep\x00100\x00' } }],
  [false, 'its shim runs', { 2: KTHREADD, 77: { cmdline: `containerd-shim-runc-v2\x00-id\x00${ID}\x00` } }],
  [false, 'a process is in its control group', { 2: KTHREADD, 77: { cgroup: `0::/docker/${ID}\n` } }],
  [false, 'the process list is a container’s', { 1: {}, 2: { comm: 'sh\n' } }],
  [false, 'other users’ processes are hidden', { 1: {} }],
  [false, 'a process may not be read', { 2: KTHREADD, 77: { cmdline: 'unreadable' } }],
])('%s where %s', (expected, _, processes) => {
  expect(noneRuns([ID], proc(processes))).toBe(expected);
});

test('this machine runs no container of that id', () => {
  expect(noneRuns(['e'.repeat(64)])).toBe(process.getuid?.() === 0);
});
