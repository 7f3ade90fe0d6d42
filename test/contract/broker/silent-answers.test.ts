import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/domain/job.ts';
import {
  type Answer,
  clientOf,
  httpServer,
  json,
  never,
} from '../../support/broker-client/hostile-server.ts';
import { instanceResource, jobResource } from '../../support/broker-client/resources.ts';

const REPORT: Report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '42' };

/** Answers a change with a success that says nothing, and a look as told. */
const silent =
  (look: Answer, status = 200, body = ''): Answer =>
  (seen, response, count) => {
    if (seen.method === 'GET') look(seen, response, count);
    else response.writeHead(status).end(body);
  };

const says =
  (changes: Record<string, unknown>): Answer =>
  (_, response) =>
    json(response, jobResource(changes));

const NONE: Answer = (_, response) => json(response, { detail: 'Not found.' }, 404);
const HELD = says({ status: 2 });
const OPEN = says({ status: 1, instance: null });
const DONE = says({ status: 3, cost: 0.25 });

describe('after a 2xx of nothing the broker’s record of the job decides', () => {
  const rows: readonly (readonly [string, Answer, object, object])[] = [
    ['ended as reported', DONE, { kind: 'taken', cost: 0.25 }, { kind: 'not-ours' }],
    [
      'ended, whose it was is not said',
      says({ status: 3, instance: null }),
      { kind: 'taken' },
      { kind: 'not-ours' },
    ],
    ['ended otherwise', says({ status: 4 }), { kind: 'not-ours' }, { kind: 'not-ours' }],
    ['ended by another', says({ status: 3, instance: 'inst-2' }), { kind: 'not-ours' }, { kind: 'not-ours' }],
    ['open', OPEN, { kind: 'not-ours' }, { kind: 'taken' }],
    ['held by another', says({ instance: 'inst-2' }), { kind: 'not-ours' }, { kind: 'not-ours' }],
    ['gone', NONE, { kind: 'gone' }, { kind: 'gone' }],
  ];
  test.each(rows)('%s', async (_, look, reported, released) => {
    await using server = await httpServer(silent(look));
    await using client = clientOf(server.url);
    expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toMatchObject(reported);
    expect(await client.broker.release('job-1', 'inst-1', never)).toMatchObject(released);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`).slice(0, 2)).toEqual([
      'PATCH /api/v1/jobs/job-1/',
      'GET /api/v1/jobs/job-1/',
    ]);
  });

  const undecided: readonly (readonly [string, Answer, string])[] = [
    ['still held by us', HELD, 'BROKER_NOT_JSON'],
    ['of nothing too', (_, res) => res.writeHead(200).end(), 'BROKER_NOT_JSON'],
    ['out of reach', (_, res) => json(res, {}, 503), 'BROKER_UNAVAILABLE'],
    ['none', (_, res) => json(res, {}), 'BROKER_BAD_ANSWER'],
    ['another’s', says({ uuid: 'job-2', status: 3 }), 'BROKER_BAD_ANSWER'],
  ];
  test.each(undecided)('%s: the same call is to be made again', async (_, look, code) => {
    await using server = await httpServer(silent(look));
    await using client = clientOf(server.url);
    await expect(client.broker.report('job-1', 'inst-1', REPORT, never)).rejects.toMatchObject({ code });
    await expect(client.broker.release('job-1', 'inst-1', never)).rejects.toMatchObject({ code });
  });

  test.each([
    [200, ' \n'],
    [201, ''],
    [202, ''],
  ])('%i with the body %j is such an answer', async (status, body) => {
    await using server = await httpServer(silent(HELD, status, body));
    await using client = clientOf(server.url);
    await expect(client.broker.report('job-1', 'inst-1', REPORT, never)).rejects.toMatchObject({
      code: 'BROKER_NOT_JSON',
      message: `PATCH /api/v1/jobs/job-1/: the answer (${status}) is nothing at all`,
    });
  });

  test.each([204, 205])('%i is a word of its own: nothing is asked', async (status) => {
    await using server = await httpServer(silent(HELD, status));
    await using client = clientOf(server.url);
    const taken = { kind: 'taken', cost: undefined };
    expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toEqual(taken);
    expect(await client.broker.release('job-1', 'inst-1', never)).toEqual(taken);
    expect(server.seen).toHaveLength(2);
  });
});

test.each([
  ['200 of nothing, while others hold it', silent(HELD)],
  ['200 of nothing, while it is open', silent(OPEN)],
  ['204', silent(HELD, 204)],
])('a claim is not won by %s', async (_, answer) => {
  await using server = await httpServer(answer);
  await using client = clientOf(server.url);
  await expect(client.broker.claim('job-1', 'inst-1', never)).rejects.toMatchObject({
    code: 'BROKER_NOT_JSON',
  });
});

describe('an offer that was put up with a 200 of nothing', () => {
  const startWith = async (look: Answer, status = 200) => {
    await using server = await httpServer(silent(look, status));
    await using client = clientOf(server.url);
    await client.broker.startInstance('inst-1', never);
    return server.seen.length;
  };
  const instance =
    (changes: Record<string, unknown>): Answer =>
    (_, response) =>
      json(response, instanceResource({ type: 1, gpu: null, ...changes }));

  test.each([
    ['says that it is', instance({ status: 2 })],
    ['does not say', instance({ status: undefined })],
  ])('is up where the broker %s', async (_, look) => {
    expect(await startWith(look)).toBe(2);
  });

  test.each([
    ['that it is not', instance({ status: 1 })],
    ['that there is none', NONE],
  ])('is not where the broker says %s', async (_, look) => {
    await expect(startWith(look)).rejects.toMatchObject({ code: 'BROKER_NOT_JSON' });
  });

  test('needs no look where the broker says 204', async () => {
    expect(await startWith(instance({ status: 1 }), 204)).toBe(1);
  });
});
