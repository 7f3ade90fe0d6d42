import { describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { type House, type OpenedAgent, openHouse } from '../../support/agent/harness.ts';
import {
  type Fault,
  type FaultPlan,
  faults,
  HttpProxy,
  isJobChange,
} from '../../support/faults/http-proxy.ts';

const QUICK = `function handler(event) { return event[0] }`;
const LONG = `function handler(event) { console.log('x'.repeat(100_000) + 'the end'); return event[0] }`;
const no = (status: number): Fault => faults.answer(status, '{"detail": "No."}');

/** With one slot and one job the first PATCH of it is the claim, and all others are its report. */
const toReport =
  (fault: (nth: number) => Fault | undefined): FaultPlan =>
  (call) =>
    isJobChange(call) && call.count > 1 ? fault(call.count - 1) : undefined;

const triesIn = (line: string): number => Number(/"tries":(\d+)/.exec(line)?.[1]);

/** An agent behind a front that misbehaves, on a market with one job. */
async function behind(
  house: House,
  plan: FaultPlan,
  journal?: (journal: Journal) => Journal,
): Promise<OpenedAgent & AsyncDisposable & { readonly front: HttpProxy }> {
  const front = await HttpProxy.open(house.url, plan);
  const opened = await house.open({
    url: front.url,
    slots: 1,
    ...(journal === undefined ? {} : { journal }),
  });
  return {
    ...opened,
    front,
    [Symbol.asyncDispose]: async () => {
      await opened.close();
      await front[Symbol.asyncDispose]();
    },
  };
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
  test.each(foreign)(
    'because of %s',
    async (_, fault) => {
      await using house = await openHouse();
      const run = house.addRun(QUICK, '((5,),)');
      await using opened = await behind(
        house,
        toReport((nth) => (nth <= 2 ? fault : undefined)),
      );
      await opened.agent.run();
      expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
    },
    30_000,
  );

  test.each([400, 413])(
    'because of a %i: it is sent with the ends of its outputs',
    async (status) => {
      await using house = await openHouse();
      const run = house.addRun(LONG, '((5,),)');
      await using opened = await behind(
        house,
        toReport((nth) => (nth === 1 ? no(status) : undefined)),
      );
      await opened.agent.run();
      const [job] = house.broker.store.jobsOf(run);
      expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
      expect(job?.stdout).toMatch(/^\[sharedcloud-agent\] .*\nx+the end\n$/);
      expect(job?.stdout.length).toBeLessThan(20_000);
    },
    30_000,
  );

  test('because a database has no place for its result', async () => {
    await using house = await openHouse();
    const run = house.addRun(String.raw`function handler() { return 'a\0b' }`, '((5,),)');
    await using opened = await behind(
      house,
      toReport((nth) => (nth === 1 ? no(400) : undefined)),
    );
    await opened.agent.run();
    expect(house.broker.store.jobsOf(run)[0]?.result).toBe('a\ufffdb');
  }, 30_000);

  test('because of a 404 that came first: it is sent whole', async () => {
    await using house = await openHouse();
    const run = house.addRun(LONG, '((5,),)');
    await using opened = await behind(
      house,
      toReport((nth) => (nth === 1 ? no(404) : undefined)),
    );
    await opened.agent.run();
    expect(house.broker.store.jobsOf(run)[0]?.stdout).toHaveLength(100_000 + 'the end\n'.length);
  }, 30_000);

  test('where it is always refused: --once ends and says so, and the report stays on disk', async () => {
    await using house = await openHouse();
    house.addRun(QUICK, '((5,),)');
    await using opened = await behind(
      house,
      toReport(() => no(400)),
    );
    await expect(opened.agent.run()).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
    expect(opened.journal.uuidsIn('finished')).toHaveLength(1);
    expect(opened.front.calls.filter(isJobChange).length).toBeLessThan(10);
  }, 60_000);
});

test('a broker that takes a report and says nothing with its 200 is not sent it again', async () => {
  await using house = await openHouse();
  const run = house.addRun(QUICK, '((5,),)');
  await using opened = await behind(
    house,
    toReport(() => faults.answerAfter(200)),
  );
  await opened.agent.run();
  expect(opened.front.calls.filter(isJobChange)).toHaveLength(2);
  const { cost, status } = house.broker.store.jobsOf(run)[0] ?? {};
  expect(status).toBe(JOB_STATUS.SUCCEEDED);
  expect(opened.journal.history(1)[0]?.state).toMatchObject({ name: 'reported', earned: cost });
}, 30_000);

test('a release that is refused is dropped where the broker does not think that we hold the job', async () => {
  await using house = await openHouse();
  const run = house.addRun(QUICK, '((5,),)', { bidPrice: 0.01 });
  const [job] = house.broker.store.jobsOf(run);
  if (job === undefined) throw new Error('the run has no job');
  await using opened = await behind(house, (call) => (isJobChange(call) ? no(400) : undefined));
  opened.journal.insert({
    uuid: job.uuid,
    run: job.run,
    functionName: 'sample',
    offerKey: 'cpu',
    instance: 'gone-long-ago',
    slot: 'cpu#0',
    gpu: null,
    askPrice: 0.1,
    image: 'sha256:abc',
    timeoutMs: 60_000,
  });
  opened.journal.transition(job.uuid, { name: 'releasing', why: 'the image is gone' });
  await opened.agent.run();
  expect(opened.journal.get(job.uuid)?.state.name).toBe('dropped');
}, 60_000);

describe('a journal that fails for a while', () => {
  const broken = (): never => {
    throw new AgentError('JOURNAL_UNUSABLE', 'disk full');
  };
  /** The journal, with some of its methods in front of it. */
  const fronted = (journal: Journal, front: Partial<Journal>): Journal =>
    new Proxy(journal, {
      get: (target, name: keyof Journal) => {
        const own = front[name] ?? target[name];
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });

  test('after a report was taken: it is sent less and less often, and settled once the journal writes', async () => {
    await using house = await openHouse();
    const run = house.addRun(QUICK, '((5,),)');
    let failures = 3;
    await using opened = await behind(
      house,
      () => undefined,
      (journal) =>
        fronted(journal, {
          transition: (uuid, state) => {
            if (state.name !== 'reported' || failures === 0) return journal.transition(uuid, state);
            failures -= 1;
            return broken();
          },
        }),
    );
    await opened.agent.run();
    // Each try counts, so that the waits grow and the second failure is a warning.
    expect(house.log.filter((line) => line.includes('disk full')).map(triesIn)).toEqual([1, 2, 3]);
    expect(opened.journal.history(9).map(({ state }) => state.name)).toEqual(['reported']);
    expect(house.broker.store.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED);
  }, 30_000);

  test('when what is owed is read: the agent goes on and delivers', async () => {
    await using house = await openHouse();
    const run = house.addRun(QUICK, '((5,),)');
    let failed = false;
    const opened = await house.open({
      settings: { once: false },
      journal: (journal) =>
        fronted(journal, {
          uuidsIn: (...names) => {
            if (failed || !names.includes('finished')) return journal.uuidsIn(...names);
            failed = true;
            return broken();
          },
        }),
    });
    const running = opened.agent.run();
    await vi.waitFor(
      () => expect(house.broker.store.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED),
      20_000,
    );
    expect(failed).toBe(true);
    await opened.agent.stop();
    await running;
    await opened.close();
  }, 40_000);
});
