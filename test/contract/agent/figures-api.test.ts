import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { VIEWS } from '../../../src/control-api/views.ts';
import { localDayOf, startOfDay } from '../../../src/domain/local-day.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { type ServedApi, serveApi } from '../../support/control/serve-api.ts';
import { aGpu } from '../../support/domain.ts';

afterEach(() => vi.unstubAllEnvs());

const MINUTE_MS = 60_000;

async function get({ headers, url }: ServedApi, path: string) {
  const answer = await fetch(`${url}/api/${path}`, { headers });
  return { status: answer.status, body: z.looseObject({}).parse(await answer.json()) };
}

test('the use of GPUs is answered by minutes and hours, with the names of those that are here', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.start({ gpus: [aGpu({ uuid: 'GPU-1', index: 0 })] });
  await env.untilEvent('offer-registered');
  await using api = await serveApi(env, agent);
  const now = Date.now();
  const minute = now - (now % MINUTE_MS) - 5 * MINUTE_MS;
  const powerW = { knownMs: MINUTE_MS, integral: 6_000.1, max: 120 };
  for (const gpu of ['GPU-1', 'GPU-gone'])
    agent.journal.gpuRollups.add([{ gpu, start: minute, coveredMs: MINUTE_MS, figures: { powerW } }]);
  const history = async (query: string) => VIEWS.history.parse((await get(api, `history${query}`)).body);
  const point = { powerW: 100, temperatureC: null, utilizationPercent: null, memoryUsedMiB: null };
  expect(await history('')).toEqual({
    span: 'minute',
    stepMs: MINUTE_MS,
    gpus: [
      { gpu: 'GPU-1', name: 'GPU 0 (NVIDIA T4)', points: [{ at: minute, ...point }] },
      { gpu: 'GPU-gone', name: 'GPU-gone', points: [{ at: minute, ...point }] },
    ],
  });
  const iso = (at: number): string => encodeURIComponent(new Date(at).toISOString());
  const year = await history(`?from=${iso(now - 365 * 1_440 * MINUTE_MS)}&to=${iso(now)}`);
  expect(year).toMatchObject({ span: 'hour', gpus: [{ points: [{ powerW: 100 }] }, {}] });
  expect(await history(`?to=${iso(minute)}`)).toMatchObject({ gpus: [] });
  // So long ago only hours are kept.
  expect(await history(`?to=${iso(now - 3 * 1_440 * MINUTE_MS)}`)).toMatchObject({ span: 'hour' });
});

test('earnings are answered by the day of this host, to the sum of what the broker has booked', async () => {
  vi.stubEnv('TZ', 'Australia/Adelaide');
  await using env = await TestEnv.open();
  await using agent = await env.start({ slots: 2 });
  await using api = await serveApi(env, agent);
  const earnings = async (query = '') => VIEWS.earnings.parse((await get(api, `earnings${query}`)).body);
  expect(await earnings()).toMatchObject({
    timeZone: 'Australia/Adelaide',
    today: localDayOf(Date.now()),
    days: [],
  });
  const runs = [1, 2, 3].map((n) => env.addRun(`function handler() { return ${n} }`, '((),)'));
  for (const run of runs) await env.untilDone(run);
  await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(3));
  const booked = runs.flatMap((run) => env.jobsOf(run)).map(({ cost }) => Math.round((cost ?? 0) * 1e6));
  const total = booked.reduce((sum, cost) => sum + cost, 0) / 1e6;
  expect(total).toBeGreaterThan(0);
  const { days } = await earnings('?days=730');
  expect(days).toMatchObject([
    { earned: total, jobs: 3, gpus: [{ gpu: 'cpu', name: 'CPU slots', earned: total, jobs: 3 }] },
  ]);
  expect(days[0]?.since).toBe(startOfDay(days[0]?.day ?? ''));
});

test('earnings are answered in exact sums by what is asked for, with the energy of idle GPUs apart', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.start();
  await using api = await serveApi(env, agent);
  const run = env.addRun('function handler() { return 1 }', '((),)');
  await env.untilDone(run);
  await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(1));
  const now = Date.now();
  const idle = { gpu: 'GPU-1', at: now, joules: 99.7, ms: 1_052.6, powerMicroDollars: 3 };
  agent.journal.energy.save({ at: now, jobs: new Map(), idle: [idle], power: [] });
  const booked = Math.round((env.jobOf(run).cost ?? 0) * 1e6);
  const today = localDayOf(now);
  const earnings = async (query: string) => VIEWS.earnings.parse((await get(api, `earnings${query}`)).body);
  const sums = { jobs: 1, confirmedMicroDollars: booked, pendingMicroDollars: 0 };
  expect(await earnings(`?from=${today}&until=${today}`)).toMatchObject({
    by: 'day',
    from: today,
    until: today,
    rows: [{ key: today, name: today, ...sums }],
    total: sums,
    idle: { ms: 1_053, energyJoules: 100, powerCostMicroDollars: 3 },
  });
  expect(await earnings('?by=gpu')).toMatchObject({ rows: [{ key: 'cpu', name: 'CPU slots', ...sums }] });
  expect(await earnings('?by=function')).toMatchObject({
    rows: [{ key: 'sample', name: 'sample', ...sums }],
  });
  expect(await earnings('?until=2026-01-01')).toMatchObject({ days: [], rows: [], total: { jobs: 0 } });
});

test.each([
  ['history?from=yesterday', 400],
  ['history?from=2026-11-27T12:00:00Z&to=2026-11-27T12:00:00Z', 400],
  ['history?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 400],
  ['earnings?days=0', 400],
  ['earnings?days=731', 400],
  ['earnings?by=buyer', 400],
  ['earnings?from=2026-02-30', 400],
  ['earnings?from=2026-11-27&until=2026-11-26', 400],
])('%s is answered with %i', async (path, status) => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  await using api = await serveApi(env, agent);
  expect(await get(api, path)).toMatchObject({ status, body: { error: { code: 'CONTROL_INVALID' } } });
});
