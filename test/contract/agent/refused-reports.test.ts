import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aNewJob } from '../../support/domain.ts';
import { type Fault, type FaultPlan, faults, isJobChange } from '../../support/faults/http-proxy.ts';

const QUICK = `function handler(event) { return event[0] }`;
const LONG = `function handler(event) { console.log('x'.repeat(100_000) + 'the end'); return event[0] }`;
const no = (status: number): Fault => faults.answer(status, '{"detail": "No."}');

/** With one slot and one job the first PATCH of it is the claim, and all others are its report. */
const toReport =
  (fault: (nth: number) => Fault | undefined): FaultPlan =>
  (call) =>
    isJobChange(call) && call.count > 1 ? fault(call.count - 1) : undefined;

/** The tries that a line of the log tells of, where it is about a delivery that the journal did not take. */
const triesOfDelivery = (line: string): readonly unknown[] => {
  const { code, tries } = z.record(z.string(), z.unknown()).parse(JSON.parse(line));
  return code === 'JOURNAL_UNUSABLE' ? [tries] : [];
};

/** An agent with one slot, a market with one job, and a broker that treats its report by `plan`. */
async function openWith(plan: FaultPlan, code = QUICK, journal?: (journal: Journal) => Journal) {
  await using opened = new AsyncDisposableStack();
  const env = opened.use(await TestEnv.open());
  const run = env.addRun(code, '((5,),)');
  env.proxy.plan = plan;
  const agent = opened.use(await env.open({ slots: 1, ...(journal && { journal }) }));
  const kept = opened.move();
  return { env, run, agent, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const plain = (status: number, body: string): Fault =>
  faults.answer(status, body, { 'content-type': 'text/plain' });

describe('a report is not given up', () => {
  const foreign: readonly (readonly [string, Fault])[] = [
    ['a 404 in plain words', plain(404, '404 page not found\n')],
    ['a 404 of nothing', plain(404, '')],
    ['a 403 in plain words', plain(403, 'Forbidden')],
    ['a 409 on a web page', plain(409, '<!doctype html>')],
    ['a 200 of nothing', plain(200, '')],
    ['a 404 in JSON for a job that the broker says we hold', no(404)],
  ];
  test.each(foreign)('because of %s', async (_, fault) => {
    await using opened = await openWith(toReport((nth) => (nth <= 2 ? fault : undefined)));
    const { env, run, agent } = opened;
    await agent.run();
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
  });

  test.each([400, 413])('because of a %i: it is sent with the ends of its outputs', async (status) => {
    await using opened = await openWith(
      toReport((nth) => (nth === 1 ? no(status) : undefined)),
      LONG,
    );
    const { env, run, agent } = opened;
    await agent.run();
    const job = env.jobOf(run);
    expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
    expect(job.stdout).toMatch(/^\[sharedcloud-agent\] .*\nx+the end\n$/);
    expect(job.stdout.length).toBeLessThan(20_000);
  });

  test('because a database has no place for its result', async () => {
    const code = String.raw`function handler() { return 'a\0b' }`;
    await using opened = await openWith(
      toReport((nth) => (nth === 1 ? no(400) : undefined)),
      code,
    );
    const { env, run, agent } = opened;
    await agent.run();
    expect(env.jobOf(run).result).toBe('a\ufffdb');
  });

  test('because of a 404 that came first: it is sent whole', async () => {
    await using opened = await openWith(
      toReport((nth) => (nth === 1 ? no(404) : undefined)),
      LONG,
    );
    const { env, run, agent } = opened;
    await agent.run();
    expect(env.jobOf(run).stdout).toHaveLength(100_000 + 'the end\n'.length);
  });

  test('where it is always refused: --once ends and says so, and the report stays on disk', async () => {
    await using opened = await openWith(toReport(() => no(402)));
    const { env, agent } = opened;
    await expect(agent.run()).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
    expect(agent.journal.uuidsIn('finished')).toHaveLength(1);
    expect(env.proxy.calls.filter(isJobChange).length).toBeLessThan(10);
  });
});

describe('a report whose content is refused', () => {
  test.each([400, 413, 422])(
    'five times with %i is sent once more, as a failure without its result',
    async (status) => {
      await using opened = await openWith(toReport((nth) => (nth <= 5 ? no(status) : undefined)));
      const { env, run, agent } = opened;
      await agent.run();
      expect(env.jobOf(run)).toMatchObject({
        status: JOB_STATUS.FAILED,
        result: '',
      });
      expect(env.proxy.calls.filter(isJobChange)).toHaveLength(1 + 6);
      expect(agent.journal.history(9).map(({ state }) => state)).toMatchObject([
        { name: 'reported', status: JOB_STATUS.FAILED, earned: 0 },
      ]);
    },
  );

  test('on a page of a proxy, any number of times, is sent with its result', async () => {
    const page = faults.answer(400, '<html>Bad Request</html>', { 'content-type': 'text/html' });
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((5,),)');
    env.proxy.plan = toReport((nth) => (nth <= 7 ? page : undefined));
    await using _agent = await env.start({ slots: 1 });
    await env.time.passUntil(() => env.jobOf(run).status !== JOB_STATUS.IN_PROGRESS);
    await env.untilDone(run);
    expect(env.jobOf(run).result).toBe('5');
  });

  test('four times is still sent with its result', async () => {
    await using opened = await openWith(toReport((nth) => (nth <= 4 ? no(413) : undefined)));
    const { env, run, agent } = opened;
    await agent.run();
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
  });

  test('with one status and another in turn is sent with its result', async () => {
    await using opened = await openWith(
      toReport((nth) => (nth <= 8 ? no(nth % 2 === 0 ? 400 : 413) : undefined)),
    );
    const { env, run, agent } = opened;
    await agent.run();
    expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
  });

  test('however short it is, is dropped, and logged once', async () => {
    await using opened = await openWith(toReport(() => no(413)));
    const { env, agent } = opened;
    await agent.run();
    expect(agent.journal.history(9).map(({ state }) => state.name)).toEqual(['dropped']);
    expect(env.events.filter(({ kind }) => kind === 'report-refused')).toHaveLength(1);
    expect(env.proxy.calls.filter(isJobChange)).toHaveLength(1 + 6);
  });

  test('of a job that timed out stays one, which is paid', async () => {
    await using env = await TestEnv.open();
    const never = 'function handler() { return new Promise((done) => setTimeout(done, 3600000)); }';
    const run = env.addRun(never, '((),)');
    env.proxy.plan = toReport((nth) => (nth <= 5 ? no(413) : undefined));
    await using agent = await env.open({ slots: 1, settings: { jobTimeoutMs: 500 } });
    await agent.run();
    expect(env.jobOf(run).status).toBe(JOB_STATUS.TIMEOUT);
  });
});

test('a broker that accepts a report and says nothing with its 200 is not sent it again', async () => {
  await using opened = await openWith(toReport(() => faults.answerAfter(200)));
  const { env, run, agent } = opened;
  await agent.run();
  expect(env.proxy.calls.filter(isJobChange)).toHaveLength(2);
  const { cost, status } = env.jobOf(run);
  expect(status).toBe(JOB_STATUS.SUCCEEDED);
  expect(agent.journal.history(1)[0]?.state).toMatchObject({ name: 'reported', earned: cost });
});

test('a release that is refused is dropped where the broker does not think that we hold the job', async () => {
  await using env = await TestEnv.open();
  const { run, uuid } = env.jobOf(env.addRun(QUICK, '((5,),)', { bidPrice: 0.01 }));
  env.proxy.plan = (call) => (isJobChange(call) ? no(400) : undefined);
  await using agent = await env.open({ slots: 1 });
  agent.journal.insert({ ...aNewJob(), uuid, run, instance: 'gone-long-ago' });
  agent.journal.transition(uuid, { name: 'releasing', why: 'the image is gone' });
  await agent.run();
  expect(agent.journal.get(uuid)?.state.name).toBe('dropped');
});

describe('a journal that fails for a while', () => {
  const broken = (): never => {
    throw new AgentError('JOURNAL_UNUSABLE', 'disk full');
  };

  test('after a report was accepted: it is settled once the journal writes', async () => {
    let failures = 3;
    await using opened = await openWith(
      () => undefined,
      QUICK,
      (journal) =>
        withOther(journal, {
          transition: (uuid, state) => {
            if (state.name !== 'reported' || failures === 0) return journal.transition(uuid, state);
            failures -= 1;
            return broken();
          },
        }),
    );
    const { env, run, agent } = opened;
    await agent.run();
    // Each try counts, so that the waits grow and the second failure is a warning.
    expect(env.log.flatMap(triesOfDelivery)).toEqual([1, 2, 3]);
    expect(agent.journal.history(9).map(({ state }) => state.name)).toEqual(['reported']);
    expect(env.jobOf(run).status).toBe(JOB_STATUS.SUCCEEDED);
  });

  test('when it is asked for pending reports: the agent goes on and delivers', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(QUICK, '((5,),)');
    let failed = false;
    await using _agent = await env.start({
      journal: (journal) =>
        withOther(journal, {
          uuidsIn: (...names) => {
            if (failed || !names.includes('finished')) return journal.uuidsIn(...names);
            failed = true;
            return broken();
          },
        }),
    });
    await env.untilDone(run);
    expect(failed).toBe(true);
  });
});
