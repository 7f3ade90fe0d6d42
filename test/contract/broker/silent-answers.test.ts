import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/domain/job.ts';
import { clientOf, never } from '../../support/broker-client/client.ts';
import { instanceResource, jobResource } from '../../support/broker-client/resources.ts';
import { type Answer, httpServer, json } from '../../support/faults/server.ts';

const REPORT: Report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '42' };

/** Answers a change with an empty 2xx, and a GET with `get`. */
const silent =
  (get: Answer, status = 200, body = ''): Answer =>
  (seen, response, count) => {
    if (seen.method === 'GET') get(seen, response, count);
    else response.writeHead(status).end(body);
  };

const shows =
  (changes: Record<string, unknown>): Answer =>
  (_, response) =>
    json(response, jobResource(changes));

const NONE: Answer = (_, response) => json(response, { detail: 'Not found.' }, 404);
const HELD = shows({ status: 2 });
const OPEN = shows({ status: 1, instance: null });
const DONE = shows({ status: 3, cost: 0.25 });

describe('after an empty 2xx, the broker’s record of the job decides if it is', () => {
  const rows: readonly (readonly [string, Answer, object, object])[] = [
    ['ended as reported', DONE, { kind: 'taken', cost: 0.25 }, { kind: 'not-ours' }],
    [
      'ended without an instance',
      shows({ status: 3, instance: null }),
      { kind: 'taken' },
      { kind: 'not-ours' },
    ],
    ['ended with another status', shows({ status: 4 }), { kind: 'not-ours' }, { kind: 'not-ours' }],
    [
      'ended by another instance',
      shows({ status: 3, instance: 'inst-2' }),
      { kind: 'not-ours' },
      { kind: 'not-ours' },
    ],
    ['open', OPEN, { kind: 'not-ours' }, { kind: 'taken' }],
    [
      'in progress at another instance',
      shows({ instance: 'inst-2' }),
      { kind: 'not-ours' },
      { kind: 'not-ours' },
    ],
    ['gone', NONE, { kind: 'gone' }, { kind: 'gone' }],
  ];
  test.each(rows)('%s', async (_, get, reported, released) => {
    await using server = await httpServer(silent(get));
    await using client = clientOf(server.url);
    expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toMatchObject(reported);
    expect(await client.broker.release('job-1', 'inst-1', never)).toMatchObject(released);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`).slice(0, 2)).toEqual([
      'PATCH /api/v1/jobs/job-1/',
      'GET /api/v1/jobs/job-1/',
    ]);
  });

  const undecided: readonly (readonly [string, Answer, string])[] = [
    ['still in progress here', HELD, 'BROKER_NOT_JSON'],
    ['empty too', (_, res) => res.writeHead(200).end(), 'BROKER_NOT_JSON'],
    ['unavailable', (_, res) => json(res, {}, 503), 'BROKER_UNAVAILABLE'],
    ['not a job', (_, res) => json(res, {}), 'BROKER_BAD_ANSWER'],
    ['another job', shows({ uuid: 'job-2', status: 3 }), 'BROKER_BAD_ANSWER'],
  ];
  test.each(undecided)('%s: the call fails, to be retried', async (_, get, code) => {
    await using server = await httpServer(silent(get));
    await using client = clientOf(server.url);
    await expect(client.broker.report('job-1', 'inst-1', REPORT, never)).rejects.toMatchObject({ code });
    await expect(client.broker.release('job-1', 'inst-1', never)).rejects.toMatchObject({ code });
  });

  test.each([
    [200, ' \n'],
    [201, ''],
    [202, ''],
  ])('%i with the body %j is such an empty 2xx', async (status, body) => {
    await using server = await httpServer(silent(HELD, status, body));
    await using client = clientOf(server.url);
    await expect(client.broker.report('job-1', 'inst-1', REPORT, never)).rejects.toMatchObject({
      code: 'BROKER_NOT_JSON',
    });
  });

  test.each([204, 205])('%i counts as acceptance without a GET', async (status) => {
    await using server = await httpServer(silent(HELD, status));
    await using client = clientOf(server.url);
    const taken = { kind: 'taken', cost: undefined };
    expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toEqual(taken);
    expect(await client.broker.release('job-1', 'inst-1', never)).toEqual(taken);
    expect(server.seen).toHaveLength(2);
  });
});

test.each([
  ['an empty 200 while the job is in progress', silent(HELD)],
  ['an empty 200 while the job is open', silent(OPEN)],
  ['a 204', silent(HELD, 204)],
])('a claim does not succeed by %s', async (_, answer) => {
  await using server = await httpServer(answer);
  await using client = clientOf(server.url);
  await expect(client.broker.claim('job-1', 'inst-1', never)).rejects.toMatchObject({
    code: 'BROKER_NOT_JSON',
  });
});

describe('an instance that was started with an empty 200', () => {
  const startWith = async (get: Answer, status = 200) => {
    await using server = await httpServer(silent(get, status));
    await using client = clientOf(server.url);
    await client.broker.startInstance('inst-1', never);
    return server.seen.length;
  };
  const instance =
    (changes: Record<string, unknown>): Answer =>
    (_, response) =>
      json(response, instanceResource({ type: 1, gpu: null, ...changes }));

  test.each([
    ['shows it on the market', instance({ status: 2 })],
    ['does not show its status', instance({ status: undefined })],
  ])('is started if the broker %s', async (_, get) => {
    expect(await startWith(get)).toBe(2);
  });

  test.each([
    ['off the market', instance({ status: 1 })],
    ['missing', NONE],
  ])('is not started if the broker shows it %s', async (_, get) => {
    await expect(startWith(get)).rejects.toMatchObject({ code: 'BROKER_NOT_JSON' });
  });

  test('needs no GET after a 204', async () => {
    expect(await startWith(instance({ status: 1 }), 204)).toBe(1);
  });
});
