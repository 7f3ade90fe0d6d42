#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answer } from './answer.ts';
import { isMachine, type Machine } from './machine.ts';

/*
 * A stand-in for nvidia-smi. What it shows lies in NVIDIA_SMI_MACHINE, or in machine.json beside the name that it
 * was called by; with `-lms`, and as `pmon`, it reads that again in each round. It notes each call in a file `calls` there.
 */

const file = process.env['NVIDIA_SMI_MACHINE'] ?? join(dirname(process.argv[1] ?? ''), 'machine.json');
const readMachine = (): Machine => {
  const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isMachine(found)) throw new Error(`${file} describes no machine`);
  return found;
};
const machine = readMachine();
const args = process.argv.slice(2);
/** `pmon` goes on unless it is to print a round only. */
const isMonitor = args[0] === 'pmon' && !args.includes('-c');
const loopMs = isMonitor ? 1_000 : Number(args[args.indexOf('-lms') + 1]);
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
  let round = 0;
  /** Prints a round; answers whether another one is to follow. */
  const print = (): boolean => {
    const now = inRound(round, readMachine());
    round += 1;
    // One that hangs later on prints nothing more.
    if (now.fault?.kind === 'hang') return true;
    const { code, stderr, stdout } = answer(now, args);
    process.stderr.write(stderr);
    process.stdout.write(stdout);
    process.exitCode = code;
    return code === 0;
  };
  // As the real one ends, by SIGPIPE.
  process.stdout.on('error', () => process.exit(141));
  const isLoop = (isMonitor || args.includes('-lms')) && process.env['NVIDIA_SMI_ONCE'] === undefined;
  if (print() && isLoop) {
    const timer = setInterval(() => void (print() || clearInterval(timer)), loopMs);
  }
}

/** The machine as it is in a round. */
function inRound(at: number, now: Machine): Machine {
  const cells = now.rounds?.[Math.min(at, now.rounds.length - 1)];
  if (cells === undefined) return now;
  return { ...now, gpus: now.gpus.map((gpu) => ({ ...gpu, cells: { ...gpu.cells, ...cells } })) };
}
