import { expect, test } from 'vitest';
import { runInternalJob } from '../../../../src/agent/jobs/internal-job.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { Runtime } from '../../../../src/domain/ports/runtime.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { logInto } from '../../../support/log/log-into.ts';

test.each<[string, () => Promise<void>]>([
  ['hangs', () => new Promise(() => undefined)],
  ['fails', () => Promise.reject(new AgentError('RUNTIME_FAILED', 'too many open files'))],
])('an internal job ends although the removal of its container %s', async (_, remove) => {
  await using _time = new VirtualTime();
  const unused = (): never => {
    throw new Error('not used');
  };
  const exit = { code: 0, oomKilled: false, startedAt: 0, finishedAt: 1, exitOrigin: 'job' } as const;
  const output = { stdout: '', stderr: '', result: 'done' };
  const runtime: Runtime = {
    images: { find: unused, prepare: unused },
    probe: unused,
    ping: () => Promise.resolve(),
    create: () => Promise.resolve('container'),
    start: () => Promise.resolve(),
    follow: () => Promise.resolve(),
    wait: () => Promise.resolve(exit),
    stop: unused,
    remove,
    list: () => Promise.resolve([]),
  };
  using detach = new DisposableController();
  const deps = {
    runtime,
    files: {
      layOut: () => Promise.resolve({ inputDir: '/in', env: {} }),
      output: () => Promise.resolve({ write: () => undefined, end: () => output }),
      remove: () => Promise.resolve(),
      list: unused,
      tryWriting: unused,
    },
    clock: systemClock,
    random: () => 0,
    log: logInto([]),
    resources: () => ({ memoryBytes: 1, cpus: 1 }),
    detach: detach.signal,
  };
  const job = {
    name: 'probe-1',
    code: { python: '', node: '' },
    parameters: '()',
    image: { id: 'sha256:1', runtime: 'python36' },
    gpu: null,
  };
  expect(await runInternalJob(deps, job, new AbortController().signal)).toEqual({ exit, output });
});

/** Aborts at the end of its scope, so that nothing is repeated for ever. */
class DisposableController extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}
