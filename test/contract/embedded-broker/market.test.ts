import { describe, expect, test } from 'vitest';
import { type CallOptions, type Desk, openDesk } from '../../support/broker/desk.ts';
import { until } from '../../support/broker/until.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';

const LONG = 'wait=60';

async function etagOf(desk: Desk, path: string): Promise<string> {
  return (await desk.call('GET', path)).headers.get('etag') ?? '';
}

/** Asks for news of the list that has just been seen, and waits until the broker holds the call. */
async function hold(desk: Desk, path: string, options: CallOptions = {}) {
  const etag = await etagOf(desk, path);
  const before = waiting(desk);
  const answer = desk.call('GET', path, { ...options, headers: { 'if-none-match': etag, prefer: LONG } });
  answer.catch(() => undefined);
  await expect.poll(() => waiting(desk)).toBe(before + 1);
  return { answer, etag };
}

const waiting = ({ store }: Desk): number => store.market.open.waiting + store.market.winnable.waiting;

describe('the market', () => {
  test('lists a run for instances while it has open jobs, and for others while it is unfinished', async () => {
    await using desk = await openDesk();
    const instance = desk.addInstance();
    const { job } = desk.addRun();
    const listed = async () => [
      (await desk.call('GET', '/runs')).body,
      (await desk.call('GET', `/runs?instance=${instance}`)).body,
    ];
    const patch = (status: number) => desk.call('PATCH', `/jobs/${job}/`, { json: { status, instance } });
    expect(await listed()).toEqual([
      expect.objectContaining({ length: 1 }),
      expect.objectContaining({ length: 1 }),
    ]);
    await patch(2);
    expect(await listed()).toEqual([expect.objectContaining({ length: 1 }), []]);
    await patch(1);
    expect(await listed()).toEqual([
      expect.objectContaining({ length: 1 }),
      expect.objectContaining({ length: 1 }),
    ]);
    await patch(2);
    await patch(4);
    expect(await listed()).toEqual([[], []]);
  });

  test('is complete for an instance if the broker does not filter', async () => {
    await using desk = await openDesk({ leaveOutUnwinnable: false });
    desk.addRun({ bidPrice: 0.01 });
    const shown = await desk.call('GET', `/runs?instance=${desk.addInstance(0.5)}`);
    expect(shown.body).toHaveLength(1);
  });

  test('is 400 for an unknown instance', async () => {
    await using desk = await openDesk();
    expect((await desk.call('GET', '/runs?instance=nobody')).status).toBe(400);
  });

  test('has the current time although the list is unchanged', async () => {
    const clock = new ManualClock();
    await using desk = await openDesk({ clock });
    desk.addRun();
    desk.addRun();
    const first = await desk.call('GET', '/runs');
    clock.advance(61_000);
    const second = await desk.call('GET', '/runs');
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    const created_at = '02-01-2026 03:04:05';
    expect(first.body).toMatchObject([{ created_at }, { created_at, current_server_time: created_at }]);
    const current_server_time = '02-01-2026 03:05:06';
    expect(second.body).toMatchObject([
      { created_at, current_server_time },
      { created_at, current_server_time },
    ]);
  });
});

describe('changes of the market', () => {
  test('are 304 for an unchanged list, else 200 with another tag', async () => {
    await using desk = await openDesk();
    desk.addRun();
    const etag = await etagOf(desk, '/runs');
    const poll = (known: string) => desk.call('GET', '/runs', { headers: { 'if-none-match': known } });
    const same = await poll(etag);
    expect([same.status, same.body, same.headers.get('etag')]).toEqual([304, undefined, etag]);
    expect((await poll(`"old", W/${etag}`)).status).toBe(304);
    expect((await poll('"old"')).status).toBe(200);
    desk.addRun();
    const other = await poll(etag);
    expect(other.status).toBe(200);
    expect(other.headers.get('etag')).not.toBe(etag);
  });

  test('have different tags at different brokers', async () => {
    await using one = await openDesk();
    await using two = await openDesk();
    expect(await etagOf(one, '/runs')).not.toBe(await etagOf(two, '/runs'));
  });

  test.each<[string, (desk: Desk, instance: string) => unknown]>([
    ['a new run', (desk) => desk.addRun()],
    ['a deleted run', (desk) => desk.store.deleteRun(desk.store.market.runs.all()[0]?.uuid ?? '')],
    [
      'a claim of the last open job',
      (desk, instance) => {
        const job = desk.store.market.jobs.all()[0]?.uuid;
        return desk.call('PATCH', `/jobs/${job}/`, { json: { status: 2, instance } });
      },
    ],
    [
      'another ask',
      (desk, instance) => desk.call('PATCH', `/instances/${instance}/`, { json: { ask_price: 0.9 } }),
    ],
    [
      'another image of a function',
      (desk) => desk.call('PATCH', `/functions/${desk.fn.cpu}/`, { json: { image: desk.image.gpu } }),
    ],
  ])('answer a held call at once on %s', async (_name, change) => {
    await using desk = await openDesk();
    desk.addRun();
    const instance = desk.addInstance();
    const { answer, etag } = await hold(desk, `/runs?instance=${instance}`);
    await change(desk, instance);
    const news = await answer;
    expect(news.status).toBe(200);
    expect(news.headers.get('etag')).not.toBe(etag);
    expect(news.headers.get('preference-applied')).toBe(LONG);
    expect(news.body).toEqual((await desk.call('GET', `/runs?instance=${instance}`)).body);
  });

  test('of other things do not answer a held call', async () => {
    await using desk = await openDesk();
    const { job } = desk.addRun({ parameters: '((1,), (2,))' });
    const instance = desk.addInstance();
    const held = await hold(desk, `/runs?instance=${instance}`);
    await desk.call('PATCH', `/jobs/${job}/`, { json: { status: 2, instance } });
    await desk.call('PATCH', `/instances/${instance}/start/`);
    expect(waiting(desk)).toBe(1);
    desk.addRun();
    expect((await held.answer).status).toBe(200);
  });

  test('include a lease that expires', async () => {
    const clock = new ManualClock();
    await using desk = await openDesk({ clock, leaseSeconds: 1 });
    const { job } = desk.addRun();
    const [silent, instance] = [desk.addInstance(), desk.addInstance()];
    await desk.call('PATCH', `/jobs/${job}/`, { json: { status: 2, instance: silent } });
    const { answer } = await hold(desk, `/runs?instance=${instance}`);
    clock.advance(1000);
    await until(desk.store, () => desk.store.job(job)?.status === 1);
    expect((await answer).body).toHaveLength(1);
  });

  test('that do not come are a 304 after the wait', async () => {
    await using desk = await openDesk();
    const headers = { 'if-none-match': await etagOf(desk, '/runs'), prefer: 'respond-async, wait=1' };
    const answer = await desk.call('GET', '/runs', { headers });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([304, 'wait=1']);
    expect(waiting(desk)).toBe(0);
  });

  test('are answered at once for another version, and held for at most a minute', async () => {
    await using desk = await openDesk();
    for (const known of [{}, { 'if-none-match': '"old"' }]) {
      const answer = await desk.call('GET', '/runs', { headers: { ...known, prefer: 'wait=3600' } });
      expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait=60']);
    }
  });

  test('are not kept for a client that disconnects', async () => {
    await using desk = await openDesk();
    const gone = new AbortController();
    const { answer } = await hold(desk, '/runs', { signal: gone.signal });
    gone.abort();
    await expect(answer).rejects.toThrow('abort');
    await expect.poll(() => waiting(desk)).toBe(0);
  });

  test('end when the broker closes', async () => {
    const desk = await openDesk();
    const { answer } = await hold(desk, '/runs');
    await desk.broker.close();
    await expect(answer).rejects.toThrow('fetch failed');
    await expect.poll(() => waiting(desk)).toBe(0);
  });

  test('answer hundreds of held calls at once', async () => {
    await using desk = await openDesk();
    const headers = { 'if-none-match': await etagOf(desk, '/runs'), prefer: LONG };
    const held = Array.from({ length: 300 }, () => desk.call('GET', '/runs', { headers }));
    await expect.poll(() => waiting(desk), { timeout: 10_000 }).toBe(300);
    desk.addRun();
    const answers = await Promise.all(held);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
