/*
 * The owner's commands, as the product has them, in a process that kills itself as `kill -9` would, at the step of CRASH_AT:
 * `before` or `after` the owner's decisions are read or written (`load`, `save`).
 */

import { pause } from '../../../src/cli/owner/pause.ts';
import { resume } from '../../../src/cli/owner/resume.ts';
import { runCli } from '../../../src/cli/run.ts';
import { SqliteDecisions } from '../../../src/journal/sqlite-decisions.ts';
import { outside } from './outside.ts';

const crashAt = process.env['CRASH_AT'];

function pass(step: string): void {
  if (step !== crashAt) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal takes effect before anything else runs; should it not, the step must not be passed all the same.
  for (;;);
}

for (const name of ['load', 'save']) {
  const method: unknown = Reflect.get(SqliteDecisions.prototype, name);
  if (typeof method !== 'function') throw new Error(`decisions have no ${name}`);
  Reflect.set(
    SqliteDecisions.prototype,
    name,
    function (this: unknown, ...args: readonly unknown[]): unknown {
      pass(`before ${name}`);
      const done: unknown = Reflect.apply(method, this, args);
      pass(`after ${name}`);
      return done;
    },
  );
}

process.exitCode = await runCli(outside, [pause, resume]);
