import { describe, expect, test } from 'vitest';
import { DEFAULT_CATALOGUE } from '../../../src/embedded/broker/catalogue-data.ts';
import { BUYER_TOKEN, type Desk, openDesk } from '../../support/broker/desk.ts';
import { about, aText } from '../../support/broker/like.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const patch = (desk: Desk, job: string, json: unknown) => desk.call('PATCH', `/jobs/${job}/`, { json });
const codename = (wanted: string) => DEFAULT_CATALOGUE.find((gpu) => gpu.codename === wanted)?.uuid ?? null;

/** Brings a job into each state that a request may find it in. */
const found: Record<string, (desk: Desk, job: string, me: string, other: string) => Promise<unknown>> = {
  'is CREATED': async () => undefined,
  'is in progress here': (desk, job, me) => patch(desk, job, { status: 2, instance: me }),
  'is in progress elsewhere': (desk, job, _me, other) => patch(desk, job, { status: 2, instance: other }),
  'SUCCEEDED here': async (desk, job, me) => {
    await patch(desk, job, { status: 2, instance: me });
    await patch(desk, job, { status: 3, instance: me });
  },
  'SUCCEEDED elsewhere': async (desk, job, _me, other) => {
    await patch(desk, job, { status: 2, instance: other });
    await patch(desk, job, { status: 3, instance: other });
  },
  'was deleted with its run': async (desk, job) => {
    desk.store.deleteRun(desk.store.job(job)?.run ?? '');
  },
};

describe('claim, release and report', () => {
  test.each([
    ['claim', 2, 'is CREATED', 200],
    ['claim', 2, 'is in progress here', 200],
    ['claim', 2, 'is in progress elsewhere', 409],
    ['claim', 2, 'SUCCEEDED here', 409],
    ['claim', 2, 'SUCCEEDED elsewhere', 409],
    ['claim', 2, 'was deleted with its run', 404],
    ['release', 1, 'is CREATED', 200],
    ['release', 1, 'is in progress here', 200],
    ['release', 1, 'is in progress elsewhere', 409],
    ['release', 1, 'SUCCEEDED here', 409],
    ['release', 1, 'was deleted with its run', 404],
    ['report SUCCEEDED', 3, 'is CREATED', 409],
    ['report SUCCEEDED', 3, 'is in progress here', 200],
    ['report SUCCEEDED', 3, 'is in progress elsewhere', 409],
    ['report SUCCEEDED', 3, 'SUCCEEDED here', 200],
    ['report SUCCEEDED', 3, 'SUCCEEDED elsewhere', 409],
    ['report SUCCEEDED', 3, 'was deleted with its run', 404],
    ['report FAILED', 4, 'is in progress here', 200],
    ['report FAILED', 4, 'SUCCEEDED here', 409],
    ['report TIMEOUT', 5, 'is in progress here', 200],
    ['report TIMEOUT', 5, 'SUCCEEDED here', 409],
  ])('%s (%i) of a job that %s: %i', async (_verb, status, state, expected) => {
    await using desk = await openDesk();
    const { job } = desk.addRun();
    const [me, other] = [desk.addInstance(), desk.addInstance()];
    await found[state]?.(desk, job, me, other);
    const before = desk.store.job(job);
    const answer = await patch(desk, job, { status, instance: me });
    expect(answer.status).toBe(expected);
    const agreed = { uuid: job, status, instance: status === 1 ? null : me };
    expect(answer.body).toMatchObject(expected === 200 ? agreed : { detail: aText });
    expect(desk.store.job(job) === before || expected === 200).toBe(true);
  });

  test.each([
    ['no status', { instance: 'mine' }, { status: ['This field is required.'] }],
    ['no instance', { status: 2 }, { instance: ['This field is required.'] }],
    ['a status of 9', { status: 9, instance: 'mine' }, { status: ['"9" is not a valid choice.'] }],
    [
      'an unknown instance',
      { status: 2, instance: NOBODY },
      { instance: [`Invalid pk "${NOBODY}" - object does not exist.`] },
    ],
    ['a list as stdout', { status: 3, instance: 'mine', stdout: [] }, { stdout: ['Not a valid string.'] }],
  ])('%s: 400', async (_name, json, messages) => {
    await using desk = await openDesk();
    const { job } = desk.addRun();
    expect(await patch(desk, job, json)).toMatchObject({ status: 400, body: messages });
  });

  test('one of 100 instances that claim a job at the same time gets it', async () => {
    await using desk = await openDesk();
    const { job } = desk.addRun();
    const instances = Array.from({ length: 100 }, () => desk.addInstance());
    const answers = await Promise.all(instances.map((instance) => patch(desk, job, { status: 2, instance })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(99);
    expect(desk.store.job(job)?.instance).toBe(instances[statuses.indexOf(200)]);
  });

  test('a report as a form is stored as it was sent, with its line ends', async () => {
    await using desk = await openDesk();
    const { job } = desk.addRun();
    const instance = desk.addInstance();
    const output = { build_logs: 'b', stdout: 'Häß\n&=+%', stderr: '', result: '{"a": [1]}' };
    await desk.call('PATCH', `/jobs/${job}`, { form: { status: '2', instance } });
    const answer = await desk.call('PATCH', `/jobs/${job}`, { form: { status: '4', instance, ...output } });
    expect(answer).toMatchObject({ status: 200, body: { status: 4, ...output } });
  });

  test('a report of many MiB is accepted', async () => {
    await using desk = await openDesk();
    const { job } = desk.addRun();
    const instance = desk.addInstance();
    await patch(desk, job, { status: 2, instance });
    const stdout = 'x'.repeat(8 * 1024 * 1024);
    expect((await patch(desk, job, { status: 3, instance, stdout })).status).toBe(200);
    expect(desk.store.job(job)?.stdout).toHaveLength(stdout.length);
  });
});

describe('eligibility of', () => {
  const gpuInstance = (desk: Desk, gpu: string) =>
    desk.store.addInstance({
      name: 'gpu',
      type: 2,
      gpu: codename(gpu),
      askPrice: 0.1,
      maxNumParallelJobs: 1,
    });

  test.each<[string, (desk: Desk) => { run: { job: string; run: string }; instance: string }, number]>([
    ['a bid at the ask', (desk) => ({ run: desk.addRun(), instance: desk.addInstance(0.5) }), 200],
    ['a bid below the ask', (desk) => ({ run: desk.addRun(), instance: desk.addInstance(0.51) }), 403],
    [
      'a GPU run on a CPU instance',
      (desk) => ({ run: desk.addRun({ function: desk.fn.gpu }), instance: desk.addInstance() }),
      403,
    ],
    [
      'a CPU run on a GPU instance',
      (desk) => ({ run: desk.addRun(), instance: gpuInstance(desk, 'titanv') }),
      403,
    ],
    [
      'a GPU run on any GPU',
      (desk) => ({ run: desk.addRun({ function: desk.fn.gpu }), instance: gpuInstance(desk, 'k80') }),
      200,
    ],
    [
      'the GPU that the run asks for',
      (desk) => ({
        run: desk.addRun({ function: desk.fn.gpu, baseGpu: codename('gtx1080ti') }),
        instance: gpuInstance(desk, 'gtx1080ti'),
      }),
      200,
    ],
    [
      'a larger GPU than the run asks for',
      (desk) => ({
        run: desk.addRun({ function: desk.fn.gpu, baseGpu: codename('gtx1080ti') }),
        instance: gpuInstance(desk, 'h100'),
      }),
      200,
    ],
    [
      'a smaller GPU than the run asks for',
      (desk) => ({
        run: desk.addRun({ function: desk.fn.gpu, baseGpu: codename('gtx1080ti') }),
        instance: gpuInstance(desk, 'gtx1080'),
      }),
      403,
    ],
  ])('%s is the same for a claim and the market (%#)', async (_name, arrange, status) => {
    await using desk = await openDesk();
    const { run, instance } = arrange(desk);
    const seen = await desk.call('GET', `/runs?instance=${instance}`);
    expect(seen.body).toHaveLength(status === 200 ? 1 : 0);
    expect((await desk.call('GET', '/runs')).body).toHaveLength(1);
    expect((await patch(desk, run.job, { status: 2, instance })).status).toBe(status);
  });
});

describe('cost and times', () => {
  test.each([
    [3, 'SUCCEEDED', 0.1 * 1.5],
    [4, 'FAILED', 0],
    [5, 'TIMEOUT', 0.1 * 1.5],
  ])(
    '90 seconds at an ask of 0.1, status %i %s, once, however often it is reported',
    async (status, _name, cost) => {
      const clock = new ManualClock();
      await using desk = await openDesk({ clock });
      const { job } = desk.addRun();
      const instance = desk.addInstance(0.1);
      await patch(desk, job, { status: 2, instance });
      clock.advance(90_000);
      for (let times = 0; times < 2; times++) {
        expect((await patch(desk, job, { status, instance, result: String(times) })).body).toMatchObject({
          cost: about(cost),
          duration: 90,
          result: '0',
          assigned_at: '02-01-2026 03:04:05',
          finished_at: '02-01-2026 03:05:35',
        });
      }
      const account = (token?: string) =>
        desk.call('GET', '/users/account/', token === undefined ? {} : { token });
      expect((await account()).body).toMatchObject({
        username: 'provider',
        balance: about(cost),
        earned: about(cost),
      });
      expect((await account(BUYER_TOKEN)).body).toMatchObject({
        username: 'buyer',
        balance: about(100 - cost),
        spent: about(cost),
      });
    },
  );
});

describe('jobs', () => {
  test('are listed by instance, run and status, alone and together', async () => {
    await using desk = await openDesk();
    const one = desk.addRun({ parameters: '((1,), (2,), (3,))' });
    desk.addRun({ parameters: '((4,),)' });
    const instance = desk.addInstance();
    await patch(desk, one.job, { status: 2, instance });
    const search = async (query: string) => {
      const { body } = await desk.call('GET', `/jobs/?${query}`);
      return Array.isArray(body) ? body.map((job: { arguments: string }) => job.arguments) : body;
    };
    expect(await search('')).toEqual(['(1,)', '(2,)', '(3,)', '(4,)']);
    expect(await search(`run=${one.run}`)).toEqual(['(1,)', '(2,)', '(3,)']);
    expect(await search(`run=${one.run}&status=1`)).toEqual(['(2,)', '(3,)']);
    expect(await search('status=1')).toEqual(['(2,)', '(3,)', '(4,)']);
    expect(await search(`instance=${instance}&status=2`)).toEqual(['(1,)']);
    expect(await search(`instance=${instance}&status=3`)).toEqual([]);
    expect(await search(`run=${NOBODY}`)).toEqual([]);
    expect(await search('status=x')).toEqual({ status: ['A valid number is required.'] });
    expect(await search(`instance=${NOBODY}`)).toHaveProperty('instance');
  });
});

describe('leases', () => {
  const LEASE = 30;

  test.each<[string, (desk: Desk, instance: string, job: string) => Promise<unknown>]>([
    ['a poll', (desk, instance) => desk.call('GET', `/runs?instance=${instance}`)],
    ['a list of its jobs', (desk, instance) => desk.call('GET', `/jobs/?instance=${instance}&status=2`)],
    ['a repeated claim', (desk, instance, job) => patch(desk, job, { status: 2, instance })],
    ['a start', (desk, instance) => desk.call('PATCH', `/instances/${instance}/start/`)],
  ])('are renewed by %s and expire by silence', async (_name, sign) => {
    const clock = new ManualClock();
    await using desk = await openDesk({ clock, leaseSeconds: LEASE });
    const { run, job } = desk.addRun();
    const [instance, other] = [desk.addInstance(), desk.addInstance()];
    const claim = await patch(desk, job, { status: 2, instance });
    expect(claim.body).toMatchObject({ lease_seconds: LEASE });
    clock.advance(LEASE * 1000 - 1);
    await sign(desk, instance, job);
    clock.advance(LEASE * 1000 - 1);
    expect((await desk.call('GET', `/jobs/${job}/`)).body).toMatchObject({ status: 2, instance });
    clock.advance(1);
    expect((await desk.call('GET', `/jobs/?run=${run}&status=1`)).body).toMatchObject([{ uuid: job }]);
    expect((await patch(desk, job, { status: 3, instance })).status).toBe(409);
    expect((await patch(desk, job, { status: 2, instance: other })).status).toBe(200);
  });

  test('that are switched off never expire and are not in the answer to a claim', async () => {
    const clock = new ManualClock();
    await using desk = await openDesk({ clock });
    const { job } = desk.addRun();
    const instance = desk.addInstance();
    const claim = await patch(desk, job, { status: 2, instance });
    expect(claim.body).not.toHaveProperty('lease_seconds');
    clock.advance(1e9);
    expect((await desk.call('GET', `/jobs/${job}/`)).body).toMatchObject({ status: 2, instance });
  });
});
