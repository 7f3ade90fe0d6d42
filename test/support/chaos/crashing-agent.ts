/*
 * `start`, as the product builds it, but for a wrapper around what the agent works with:
 *
 *   CRASH_AT   the process kills itself, as `kill -9` would, at this step: `before` or `after` a call, such as
 *              `before broker.claim`, `after journal.transition claimed`. With several, `after journal.insert, before
 *              runtime.list`, each counts only once those before it were passed, and the last one kills.
 *              After is after, whether the call went well or not.
 *   CRASH_JOB  the job whose step it has to be. Steps that are no job's own count in any case.
 *   FAIL_AT    a call that fails for every job, as if this host were at fault, and for no test container.
 */

import { runCli } from '../../../src/cli/run.ts';
import { start } from '../../../src/cli/start/command.ts';
import { type Ports } from '../../../src/compose.ts';
import { runDaemon } from '../../../src/daemon/run-daemon.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { outside } from './outside.ts';

const toPass = (process.env['CRASH_AT'] ?? '').split(', ').filter((step) => step !== '');
const crashJob = process.env['CRASH_JOB'];
const failAt = process.env['FAIL_AT'];
const jobOfContainer = new Map<string, string>();

/** The calls whose first argument is a job, its uuid, or its container. */
const ABOUT_A_JOB: ReadonlySet<string> = new Set([
  ...['claim', 'job', 'release', 'report'].map((name) => `broker.${name}`),
  ...['get', 'insert', 'transition'].map((name) => `journal.${name}`),
  ...['layOut', 'output', 'remove'].map((name) => `files.${name}`),
  ...['create', 'follow', 'remove', 'start', 'stop', 'wait'].map((name) => `runtime.${name}`),
]);

/** What ports have in them that has calls of its own. */
const HAVE_STEPS: ReadonlySet<string> = new Set(['images', 'decisions']);

function pass(step: string, job: string | undefined): void {
  if (step !== toPass[0]) return;
  if (crashJob !== undefined && job !== undefined && job !== crashJob) return;
  toPass.shift();
  if (toPass.length > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal takes effect before anything else runs; should it not, the step must not be passed all the same.
  for (;;);
}

/** Calls of a port, with a possible crash before and after each. */
function crashing<Port extends object>(name: string, port: Port): Port {
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (HAVE_STEPS.has(String(property)) && typeof member === 'object' && member !== null)
        return crashing(String(property), member);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => {
        const call = `${name}.${String(property)}`;
        const step = property === 'transition' ? `${call} ${textAt('name', args[1]) ?? ''}` : call;
        const job = ABOUT_A_JOB.has(call) ? jobOf(args[0]) : undefined;
        pass(`before ${step}`, job);
        if (step === failAt && job?.startsWith('test-') !== true)
          // A fault that no image can have.
          throw new AgentError('CONTAINER_NAME_TAKEN', `${step} fails, as it was asked to`);
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) {
          pass(`after ${step}`, job);
          return answer;
        }
        return answer
          .then((value: unknown) => {
            if (call === 'runtime.create') remember(value, job);
            if (call === 'runtime.list' && Array.isArray(value))
              for (const found of value) remember(textAt('id', found), textAt('job', found));
            return value;
          })
          .finally(() => pass(`after ${step}`, job));
      };
    },
  });
}

function jobOf(subject: unknown): string | undefined {
  if (typeof subject === 'string') return jobOfContainer.get(subject) ?? subject;
  return textAt('job', subject) ?? textAt('uuid', subject);
}

function remember(container: unknown, job: string | undefined): void {
  if (typeof container === 'string' && job !== undefined) jobOfContainer.set(container, job);
}

function textAt(key: string, subject: unknown): string | undefined {
  if (typeof subject !== 'object' || subject === null) return undefined;
  const value: unknown = Reflect.get(subject, key);
  return typeof value === 'string' ? value : undefined;
}

const between = (ports: Ports): Ports => ({
  broker: crashing('broker', ports.broker),
  runtime: crashing('runtime', ports.runtime),
  files: crashing('files', ports.files),
  journal: crashing('journal', ports.journal),
});

process.exitCode = await runCli(outside, [
  start((parts) => runDaemon({ ...parts, systemdNotify: undefined }, { between })),
]);
