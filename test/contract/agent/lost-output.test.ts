import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { OutputSink, Runtime } from '../../../src/domain/ports/runtime.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

const PRINTING = `function handler() {
  console.log('all of it');
  return 7;
}`;

/** Each time that output is followed; `all` hands on everything that there is. */
type Hear = (time: number, sink: OutputSink, all: (sink: OutputSink) => Promise<void>) => Promise<void>;

async function reportOf(
  code: string,
  hear: Hear,
): Promise<{ readonly job: unknown; readonly heard: number; readonly starts: number }> {
  await using env = await TestEnv.open();
  const run = env.addRun(code, '((1,),)');
  let heard = 0;
  await using agent = await env.open({
    slots: 1,
    runtime: (_, processes) =>
      withOther<Runtime>(processes, {
        follow: (id, sink, signal) => {
          heard += 1;
          return hear(heard, sink, (into) => processes.follow(id, into, signal));
        },
      }),
  });
  await agent.run();
  const starts = env.events.filter(({ kind }) => kind === 'job-started').length;
  return { job: env.jobsOf(run)[0], heard, starts };
}

test('a job that ended well and whose result did not come through is read once more', async () => {
  const { heard, job } = await reportOf(PRINTING, (time, sink, all) =>
    time === 1 ? all((stream, bytes) => sink(stream, bytes.subarray(0, 5))) : all(sink),
  );
  expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, stdout: 'all of it\n', result: '7' });
  expect(heard).toBe(2);
});

test('a job without a result is read no more than twice, and is a failure', async () => {
  const { heard, job } = await reportOf('process.exit(0)', (_, sink, all) => all(sink));
  expect(job).toMatchObject({ status: JOB_STATUS.FAILED });
  expect(heard).toBe(2);
});

test('output that breaks off is read from its first byte again, and nothing comes twice', async () => {
  const { heard, job } = await reportOf(PRINTING, async (time, sink, all) => {
    await all(sink);
    if (time < 3) throw new AgentError('RUNTIME_UNAVAILABLE', 'the container’s output broke off');
  });
  expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, stdout: 'all of it\n', result: '7' });
  expect(heard).toBe(3);
});

test.each<[string, string, object]>([
  ['returned', PRINTING, { status: JOB_STATUS.SUCCEEDED, stdout: 'all of it\n', result: '7' }],
  [
    'failed',
    `function handler() { console.log('all of it'); process.exit(3) }`,
    { status: JOB_STATUS.FAILED, stdout: 'all of it\n' },
  ],
])('output that could not be had while the job ran is read when it has %s', async (_, code, expected) => {
  const { heard, job, starts } = await reportOf(code, (time, sink, all) => {
    if (time === 1) throw new AgentError('CONTAINER_GONE', 'the engine does not know its container');
    return all(sink);
  });
  expect(job).toMatchObject(expected);
  expect(heard).toBe(2);
  // Released, it would run again, and come to the same.
  expect(starts).toBe(1);
});
