#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answer } from './answer.ts';
import { isMachine } from './machine.ts';

/*
 * A stand-in for nvidia-smi. What it shows lies in NVIDIA_SMI_MACHINE, or in machine.json beside the name that it
 * was called by. It notes each call in a file `calls` there.
 */

const file = process.env['NVIDIA_SMI_MACHINE'] ?? join(dirname(process.argv[1] ?? ''), 'machine.json');
const machine: unknown = JSON.parse(readFileSync(file, 'utf8'));
if (!isMachine(machine)) throw new Error(`${file} describes no machine`);
const args = process.argv.slice(2);
const note = {
  args,
  locale: process.env['LC_ALL'],
  pid: process.pid,
  token: process.env['SHAREDCLOUD_TOKEN'],
};
appendFileSync(join(dirname(file), 'calls'), `${JSON.stringify(note)}\n`);
if (machine.fault?.kind === 'hang') {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 60_000);
} else {
  if (machine.fault?.kind === 'leave-pipes-open')
    spawn('sleep', ['30'], { stdio: 'inherit', detached: true }).unref();
  const { code, stderr, stdout } = answer(machine, args);
  process.stderr.write(stderr);
  process.stdout.write(stdout);
  process.exitCode = code;
}
