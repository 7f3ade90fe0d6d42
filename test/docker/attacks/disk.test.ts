import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';

import type { DiskSpace } from '../../../src/domain/ports/host.ts';
import { type TestAgent, TestEnv } from '../../support/agent/test-env.ts';

import { describeDocker, expectNothingLeft, PYTHON } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

const MB = 1_000_000;

/** Writes so many files of so many megabytes, then sleeps for a while: unless somebody ends it, it succeeds. */
const WRITER = `
import time
def handler(event):
    for number in range(event[0]):
        with open('/tmp/%d' % number, 'wb') as file:
            for _ in range(event[1]):
                file.write(bytes(10**6))
    time.sleep(event[2])
    return 'written'
`;

/** The same, in a file that has no name any more: nobody who looks through its files finds it. */
const HIDER = `
import os, time
def handler(event):
    file = open('/tmp/hidden', 'wb')
    os.remove('/tmp/hidden')
    for _ in range(event[0]):
        file.write(bytes(10**6))
        file.flush()
    time.sleep(event[1])
    return 'hidden'
`;

/** Writes as many megabytes behind a path that is too long for the engine's walk through the files. */
const BURIER = `
import os, time
def handler(event):
    os.chdir('/tmp')
    for _ in range(20):
        os.mkdir('d' * 250)
        os.chdir('d' * 250)
    with open('file', 'wb') as file:
        for _ in range(event[0]):
            file.write(bytes(10**6))
    time.sleep(event[1])
    return 'buried'
`;

/** Fails as a job does that cannot write. */
const VICTIM = `
import time
def handler(event):
    time.sleep(3)
    raise OSError(28, 'No space left on device')
`;

describeDocker('the disk of a host', (engine) => {
  const soon = { timeout: 120_000, interval: 50 };
  const ROOM: DiskSpace = { freeBytes: 1_000 * MB, freeInodes: 1 };
  const open = (env: TestEnv, minFreeBytes: number, room: () => DiskSpace): Promise<TestAgent> =>
    env.open({
      slots: 2,
      settings: { diskLimitBytes: 100 * MB, minFreeBytes, once: false, jobTimeoutMs: 120_000 },
      runtime: (agentId) => testRuntime(engine.host, { agentId, limits: { diskBytes: 100 * MB } }).runtime,
      diskSpace: room,
    });

  test('is not filled by a job that writes many files', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const bad = addPython(env, WRITER, '((3, 60, 40),)');
    const good = addPython(env, WRITER, '((1, 60, 1),)');
    const opened = await open(env, 0, () => ROOM);
    const running = opened.agent.run();
    const ended = () => [bad, good].flatMap((run) => env.broker.store.jobsOf(run));
    await vi.waitFor(() => expect(ended().map(({ cost }) => cost)).not.toContain(null), soon);
    expect(ended()).toMatchObject([
      {
        status: JOB_STATUS.FAILED,
        stderr: '[sharedcloud-agent] stopped: it wrote more than 100000000 bytes to its disk\n',
      },
      { status: JOB_STATUS.SUCCEEDED, result: 'written' },
    ]);
    await opened.agent.drain();
    await running;
    await opened.close();
    await expectNothingLeft(engine, opened.journal.agentId);
  });

  test('is not filled by a job whose files cannot be measured: that goes back to the market', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const bad = addPython(env, BURIER, '((60, 100),)');
    const opened = await open(env, 0, () => ROOM);
    const running = opened.agent.run();
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-released'), soon);
    expect(env.events.filter((event) => event.kind === 'job-release-queued')).toMatchObject([
      { job: { run: bad } },
    ]);
    await opened.agent.evict();
    await running;
    await opened.close();
    await expectNothingLeft(engine, opened.journal.agentId);
  });

  test('is not filled by what cannot be seen on a job: that goes back to the market', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const started = () => env.events.filter(({ kind }) => kind === 'job-started').length;
    const good = addPython(env, WRITER, '((1, 1, 15),)');
    // As the disk itself would show it.
    let room = ROOM;
    const opened = await open(env, 400 * MB, () => room);
    const running = opened.agent.run();
    await vi.waitFor(() => expect(started()).toBe(1), soon);
    const bad = addPython(env, HIDER, '((90, 60),)');
    await vi.waitFor(() => expect(started()).toBe(2), soon);
    room = { ...ROOM, freeBytes: 199 * MB };
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-released'), soon);
    room = ROOM;
    const released = env.events.filter((event) => event.kind === 'job-release-queued');
    expect(released).toMatchObject([{ job: { run: bad } }]);
    await vi.waitFor(
      () => expect(env.broker.store.jobsOf(good)).toMatchObject([{ status: JOB_STATUS.SUCCEEDED }]),
      soon,
    );
    await opened.agent.evict();
    await running;
    await opened.close();
    await expectNothingLeft(engine, opened.journal.agentId);
  });

  test('is never a job’s failure where it is full: who could not write goes back to the market', async () => {
    await using env = await TestEnv.open({ realTime: true });
    let room = ROOM;
    const opened = await open(env, 0, () => room);
    const running = opened.agent.run();
    const victim = addPython(env, VICTIM, '((1,),)');
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-started'), soon);
    room = { ...ROOM, freeBytes: 0 };
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-released'), soon);
    expect(env.events.filter((event) => event.kind === 'job-release-queued')).toMatchObject([
      { job: { run: victim } },
    ]);
    await opened.agent.evict();
    await running;
    await opened.close();
    await expectNothingLeft(engine, opened.journal.agentId);
  });
});

function addPython(env: TestEnv, code: string, parameters: string): string {
  const image = env.broker.store.addImage({
    registryPath: PYTHON,
    requiresGpu: false,
    runtime: 'python36',
  });
  const fn = env.broker.store.addFunction({ name: 'sample', code, image });
  return env.broker.store.addRun({ function: fn, parameters, bidPrice: 1 });
}
