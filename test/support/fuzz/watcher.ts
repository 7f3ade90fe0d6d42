/*
 * Watches an agent from a process of its own, so that the load of a test does not count: `node watcher.ts STATE_DIR CGROUP
 * PID`. Prints each sample as JSON on a line of stdout; a line on stdin is a signal to send; the time until the process ends is printed too.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CONTROL_SOCKET } from '../../../src/control-api/sockets.ts';
import { memoryHeld } from './cgroup.ts';

const [stateDir = '', cgroup = '', pidText = ''] = process.argv.slice(2);
const pid = Number(pidText);
const EVERY_MS = 100;
/** An agent that does not answer for so long has stood still for so long. */
const GIVE_UP_MS = 15_000;

/** Milliseconds that the main thread of a process has run, and has been ready to run and had no core. */
function scheduled(of: number | string): { readonly ranMs: number; readonly waitedMs: number } | undefined {
  try {
    const [ran, waited] = readFileSync(
      `/proc/${of}/task/${of === 'self' ? process.pid : of}/schedstat`,
      'utf8',
    ).split(' ');
    return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
  } catch {
    // It is gone.
    return undefined;
  }
}

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** What passed since `began`, and who ran or waited for a core meanwhile. */
function since(began: number, before: ReturnType<typeof scheduled>, own: ReturnType<typeof scheduled>) {
  const [after, ownAfter] = [scheduled(pid) ?? before, scheduled('self')];
  return {
    ms: Math.round(performance.now() - began),
    ranMs: Math.round((after?.ranMs ?? 0) - (before?.ranMs ?? 0)),
    waitedMs: Math.round((after?.waitedMs ?? 0) - (before?.waitedMs ?? 0)),
    watcherWaitedMs: Math.round((ownAfter?.waitedMs ?? 0) - (own?.waitedMs ?? 0)),
  };
}

function ask(): void {
  const began = performance.now();
  const before = scheduled(pid);
  const own = scheduled('self');
  if (before === undefined) return;
  const socket = connect(join(stateDir, CONTROL_SOCKET));
  const late = setTimeout(() => socket.destroy(new Error('no answer')), GIVE_UP_MS);
  let isConnected = false;
  socket.once('connect', () => {
    isConnected = true;
    socket.write('GET /api/health HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n');
  });
  socket.on('error', () => undefined);
  socket.resume();
  socket.once('close', () => {
    clearTimeout(late);
    if (isConnected && scheduled(pid) !== undefined) print({ kind: 'lag', ...since(began, before, own) });
  });
}

let maxBytes = 0;
function weigh(): void {
  const heldBytes = memoryHeld(cgroup);
  if (heldBytes <= maxBytes) return;
  maxBytes = heldBytes;
  print({ kind: 'memory', heldBytes });
}

setInterval(() => {
  ask();
  weigh();
}, EVERY_MS);

createInterface(process.stdin).on('line', (signal) => {
  const began = performance.now();
  const before = scheduled(pid);
  const own = scheduled('self');
  process.kill(pid, signal);
  let last = since(began, before, own);
  const timer = setInterval(() => {
    // A zombie has no figures any more.
    if (isOver()) {
      clearInterval(timer);
      print({ kind: 'ended', ...last, ms: Math.round(performance.now() - began) });
    } else last = since(began, before, own);
  }, 10);
});

function isOver(): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
