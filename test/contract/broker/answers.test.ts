import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { Report } from '../../../src/domain/job.ts';
import { clientOf, failure, never, TOKEN } from '../../support/broker-client/client.ts';
import { jobResource } from '../../support/broker-client/resources.ts';
import { type Answer, httpServer, json } from '../../support/faults/server.ts';

const REPORT: Report = { status: 3, buildLogs: '', stdout: 'out', stderr: '', result: '42' };
const QUERY = { instance: 'inst-1', etag: undefined, waitSeconds: 0, signal: never };

type Row = readonly [name: string, answer: Answer, code: ErrorCode];

/** Answers that have the same meaning for every call. */
const ROWS: readonly Row[] = [
  ['500 with a page', (_, res) => res.writeHead(500).end('<html>oops</html>'), 'BROKER_UNAVAILABLE'],
  ['503 without a body', (_, res) => res.writeHead(503).end(), 'BROKER_UNAVAILABLE'],
  ['408', (_, res) => json(res, { detail: 'slow' }, 408), 'BROKER_UNAVAILABLE'],
  ['429', (_, res) => json(res, { detail: 'Request was throttled.' }, 429), 'BROKER_UNAVAILABLE'],
  ['200 with a page', (_, res) => res.writeHead(200).end('<html>welcome</html>'), 'BROKER_NOT_JSON'],
  ['200 with half of a JSON', (_, res) => res.writeHead(200).end('[{"uuid": "x'), 'BROKER_NOT_JSON'],
  ['401', (_, res) => json(res, { detail: 'Invalid token.' }, 401), 'BROKER_UNAUTHORIZED'],
  ['400', (_, res) => json(res, { status: ['"9" is not a valid choice.'] }, 400), 'BROKER_REFUSED'],
  ['304 without an If-None-Match', (_, res) => res.writeHead(304).end(), 'BROKER_BAD_ANSWER'],
  ['a cut before the headers', (_, res) => res.socket?.destroy(), 'BROKER_UNREACHABLE'],
  ['a reset', (_, res) => res.socket?.resetAndDestroy(), 'BROKER_UNREACHABLE'],
  [
    'a cut in the middle of the body',
    (_, res) => {
      res.writeHead(200, { 'content-length': '1000' });
      res.write('[{"uuid":', () => res.socket?.destroy());
    },
    'BROKER_UNREACHABLE',
  ],
  [
    'another origin',
    (_, res) => res.writeHead(302, { location: 'http://127.0.0.2:1/' }).end(),
    'BROKER_REDIRECTED_AWAY',
  ],
];

describe('an answer', () => {
  for (const [name, answer, code] of ROWS) {
    test(`of ${name} is ${code} for every call`, async () => {
      await using server = await httpServer(answer);
      await using client = clientOf(server.url);
      const { broker } = client;
      const calls = [
        broker.runs(QUERY),
        broker.claim('job-1', 'inst-1', never),
        broker.release('job-1', 'inst-1', never),
        broker.report('job-1', 'inst-1', REPORT, never),
        broker.heldJobs('inst-1', never),
        broker.createInstance(
          {
            key: 'cpu',
            kind: 'cpu',
            name: 'rig',
            gpu: null,
            cudaCores: 0,
            wholeGpu: false,
            askPrice: 1,
            slots: [],
          },
          never,
        ),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'AgentError', code } });
        if (outcome.status === 'rejected') expect(outcome.reason).toHaveProperty('hint');
      }
    });
  }

  const FINAL = [
    [403, { kind: 'underbid' }, { kind: 'not-ours' }],
    [404, { kind: 'gone' }, { kind: 'gone' }],
    [409, { kind: 'lost' }, { kind: 'not-ours' }],
    [410, { kind: 'gone' }, { kind: 'gone' }],
  ] as const;

  for (const [status, claimed, reported] of FINAL) {
    test(`of ${status} with a reason is final for a claim, a release and a report`, async () => {
      await using server = await httpServer((_, res) => json(res, { detail: 'no' }, status));
      await using client = clientOf(server.url);
      expect(await client.broker.claim('job-1', 'inst-1', never)).toEqual(claimed);
      expect(await client.broker.release('job-1', 'inst-1', never)).toEqual(reported);
      expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toEqual(reported);
    });

    const foreign = [
      ['a web page', '<!doctype html><h1>no'],
      ...(status === 409
        ? []
        : [
            ['plain words', `${status} page not found\n`],
            ['a list', '[]'],
            ['a number', '404'],
          ]),
      ...(status === 403 ? [['nothing', '']] : []),
    ];
    test.each(foreign)(`of ${status} as %s is not final`, async (_name, body) => {
      await using server = await httpServer((_, res) => res.writeHead(status).end(body));
      await using client = clientOf(server.url);
      const calls = [
        client.broker.claim('job-1', 'inst-1', never),
        client.broker.report('job-1', 'inst-1', REPORT, never),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'BROKER_NOT_JSON' } });
      }
    });
  }

  test.each([
    [404, ''],
    [410, ''],
    [409, ''],
    [409, 'taken'],
  ])('of %i with the body %j is final for a claim', async (status, body) => {
    await using server = await httpServer((_, res) => res.writeHead(status).end(body));
    await using client = clientOf(server.url);
    const claimed = await client.broker.claim('job-1', 'inst-1', never);
    expect(claimed.kind).toBe(status === 409 ? 'lost' : 'gone');
  });

  test.each([
    [204, ''],
    [205, ''],
    [200, '{}'],
    [201, '[]'],
  ])('of %i with the body %j accepts a report and a release, and fails other calls', async (status, body) => {
    await using server = await httpServer((_, res) => res.writeHead(status).end(body));
    await using client = clientOf(server.url);
    const { broker } = client;
    const taken = { kind: 'taken', cost: undefined };
    expect(await broker.report('job-1', 'inst-1', REPORT, never)).toEqual(taken);
    expect(await broker.release('job-1', 'inst-1', never)).toEqual(taken);
    const code = body.trim() === '' ? 'BROKER_NOT_JSON' : 'BROKER_BAD_ANSWER';
    await expect(broker.claim('job-1', 'inst-1', never)).rejects.toMatchObject({ code });
    await expect(broker.job('job-1', never)).rejects.toMatchObject({ code });
    if (body !== '[]') await expect(broker.runs(QUERY)).rejects.toMatchObject({ code });
  });

  test.each([404, 410])(
    'of %i is undefined for a look-up and BROKER_NOT_FOUND for a poll',
    async (status) => {
      await using server = await httpServer((_, res) => json(res, { detail: 'Not found.' }, status));
      await using client = clientOf(server.url);
      const { broker } = client;
      expect(await broker.run('r', never)).toBeUndefined();
      expect(await broker.function('f', never)).toBeUndefined();
      expect(await broker.image('i', never)).toBeUndefined();
      expect(await broker.instance('i', never)).toBeUndefined();
      expect(await broker.job('j', never)).toBeUndefined();
      await expect(broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
      await expect(broker.startInstance('i', never)).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
    },
  );

  test('of 404 as a page does not make a function undefined', async () => {
    await using server = await httpServer((_, res) => res.writeHead(404).end('<html>nginx'));
    await using client = clientOf(server.url);
    await expect(client.broker.function('f', never)).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
  });
});

describe('Retry-After', () => {
  test.each([
    ['7', 7_000, 7_000],
    ['0', 0, 0],
    ['999999', 900_000, 900_000],
    [new Date(Date.now() + 60_000).toUTCString(), 50_000, 60_000],
    [new Date(Date.now() - 60_000).toUTCString(), 0, 0],
  ])('of %s is the wait', async (value, min, max) => {
    await using server = await httpServer((_, res) => json(res, {}, 503, { 'retry-after': value }));
    await using client = clientOf(server.url);
    const error = await failure(client.broker.runs(QUERY));
    const waitMs = error.retryAfterMs ?? -1;
    expect(waitMs).toBeGreaterThanOrEqual(min);
    expect(waitMs).toBeLessThanOrEqual(max);
  });

  test.each([-300_000, 300_000])(
    'with a date is relative to the broker’s clock, which is off by %i ms',
    async (skewMs) => {
      const broker = Date.now() + skewMs;
      await using server = await httpServer((_, res) =>
        json(res, {}, 503, {
          date: new Date(broker).toUTCString(),
          'retry-after': new Date(broker + 10_000).toUTCString(),
        }),
      );
      await using client = clientOf(server.url);
      const error = await failure(client.broker.runs(QUERY));
      expect(error.retryAfterMs).toBe(10_000);
    },
  );

  test('is ignored if it is invalid', async () => {
    await using server = await httpServer((_, res) => json(res, {}, 503, { 'retry-after': '-5' }));
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ retryAfterMs: undefined });
  });
});

describe('the broker’s text in an error', () => {
  test('has the messages per field', async () => {
    await using server = await httpServer((_, res) =>
      json(res, { ask_price: ['Too low.', 'Really.'], non_field_errors: ['Go away.'] }, 400),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.addImage('i', 'x', never)).rejects.toThrow(
      /^PATCH \/api\/v1\/instances\/i\/add-image\/: .*400.*: ask_price: Too low\. Really\.; Go away\.$/,
    );
  });

  test('is shortened and has no control characters', async () => {
    await using server = await httpServer((_, res) =>
      json(res, { detail: `\u001b[2Jred\u202egnp\n${'x'.repeat(50_000)}` }, 400),
    );
    await using client = clientOf(server.url);
    const error = await failure(client.broker.stopInstance('i', never));
    const { message } = error;
    expect(message).toContain('\\u{1b}[2Jred\\u{202e}gnp xxx');
    expect(message.length).toBeLessThan(700);
    expect(message).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  const echoes: readonly Answer[] = [
    ({ headers }, res) => json(res, { detail: `bad header: ${headers.authorization}` }, 400),
    ({ headers }, res) => json(res, { detail: headers.authorization }, 401),
    ({ headers }, res) => res.writeHead(200).end(`<html>${headers.authorization}`),
    ({ headers }, res) => res.writeHead(200).end(`{"x": ${headers.authorization}`),
    ({ headers }, res) => res.writeHead(200).end(JSON.stringify({ [String(headers.authorization)]: 1 })),
    ({ headers }, res) =>
      res.writeHead(500).end(`${' '.repeat(180)}${headers.authorization}${' '.repeat(9_000)}`),
    ({ headers }, res) => res.writeHead(302, { location: `http://127.0.0.2/${headers.authorization}` }).end(),
    ({ headers }, res) => res.socket?.end(`${headers.authorization}\r\n\r\n`),
  ];
  test.each(echoes.map((echo, index) => [index, echo] as const))(
    'never has the token that a broker echoes (%i)',
    async (_, echo) => {
      await using server = await httpServer(echo);
      await using client = clientOf(server.url);
      const error = await failure(client.broker.claim('job-1', 'inst-1', never));
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN.slice(0, 12));
    },
  );
});

describe('the answer to a claim', () => {
  const claimWith = async (body: unknown) => {
    await using server = await httpServer((_, res) => json(res, body));
    await using client = clientOf(server.url);
    return await client.broker.claim('job-1', 'inst-1', never);
  };

  test('has the job and its lease', async () => {
    expect(await claimWith(jobResource({ lease_seconds: 90 }))).toEqual({
      kind: 'claimed',
      job: {
        uuid: 'job-1',
        run: 'run-1',
        arguments: '(512, 0.2)',
        status: 2,
        instance: 'inst-1',
        leaseSeconds: 90,
        cost: undefined,
      },
    });
  });

  test.each([
    ['another instance has the job', { instance: 'inst-2' }],
    ['no instance has the job', { instance: null }],
    ['the job is open', { status: 1 }],
    ['the job has ended', { status: 3 }],
  ])('is lost if %s', async (_, changes) => {
    expect(await claimWith(jobResource(changes))).toEqual({ kind: 'lost' });
  });

  test.each([
    ['an empty object', {}],
    ['a list', [jobResource()]],
    ['another job', jobResource({ uuid: 'job-2' })],
    ['a job without arguments', jobResource({ arguments: undefined })],
    ['a status in words', jobResource({ status: 'IN_PROGRESS' })],
  ])('is BROKER_BAD_ANSWER with %s', async (_, body) => {
    await expect(claimWith(body)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });
});

describe('a report', () => {
  test('is sent with storable output, and its answer has the cost', async () => {
    await using server = await httpServer((_, res) => json(res, jobResource({ status: 3, cost: '0.0125' })));
    await using client = clientOf(server.url);
    const report: Report = {
      status: 3,
      buildLogs: 'b',
      stdout: 'é\u0000',
      stderr: 'e\ud800',
      result: '4\u00002',
    };
    expect(await client.broker.report('job-1', 'inst-1', report, never)).toEqual({
      kind: 'taken',
      cost: 0.0125,
    });
    const { body, headers, method, url } = server.seen[0] ?? {};
    expect({ method, url, type: headers?.['content-type'] }).toEqual({
      method: 'PATCH',
      url: '/api/v1/jobs/job-1/',
      type: 'application/json',
    });
    expect(JSON.parse(body ?? '')).toEqual({
      status: 3,
      instance: 'inst-1',
      build_logs: 'b',
      stdout: 'é\ufffd',
      stderr: 'e\ufffd',
      result: '4\u00002',
    });
  });

  test.each([
    [{}],
    [{ cost: null }],
    [{ cost: 'much' }],
    [{ cost: 1e308 }],
    [{ cost: '9'.repeat(30) }],
    [[]],
    ['ok'],
  ])('is accepted with the answer %j', async (body) => {
    await using server = await httpServer((_, res) => json(res, body, 202));
    await using client = clientOf(server.url);
    expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toEqual({
      kind: 'taken',
      cost: undefined,
    });
  });
});

test('start, stop and add-image accept an empty answer', async () => {
  await using server = await httpServer((_, res) => res.writeHead(204).end());
  await using client = clientOf(server.url);
  await client.broker.startInstance('inst-1', never);
  await client.broker.stopInstance('inst-1', never);
  await client.broker.addImage('inst-1', 'sharedcloud/python36:latest', never);
  expect(server.seen.map(({ body, method, url }) => [method, url, body])).toEqual([
    ['PATCH', '/api/v1/instances/inst-1/start/', '{}'],
    ['PATCH', '/api/v1/instances/inst-1/stop/', '{}'],
    ['PATCH', '/api/v1/instances/inst-1/add-image/', '{"image_registry_path":"sharedcloud/python36:latest"}'],
  ]);
});
