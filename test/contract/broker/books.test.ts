import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { BrokerBooks } from '../../../src/broker/books.ts';
import type { BookedJob } from '../../../src/domain/books.ts';
import { clientOf, failure, never } from '../../support/broker-client/client.ts';
import { jobResource } from '../../support/broker-client/resources.ts';
import { type Answer, httpServer, json } from '../../support/faults/server.ts';

async function serving(answer: Answer) {
  const server = await httpServer(answer);
  const client = clientOf(server.url);
  return {
    books: new BrokerBooks(client.transport),
    seen: server.seen,
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function endedJobs(books: BrokerBooks, ...instances: readonly string[]) {
  const jobs: BookedJob[] = [];
  const invalid = await books.endedJobs(new Set(instances), (job) => jobs.push(job), never);
  return { jobs, unreadable: invalid.items.length + invalid.more };
}

const ended = (changes: Readonly<Record<string, unknown>> = {}) =>
  jobResource({ status: 3, cost: '0.0000125', finished_at: '05-03-2026 10:20:50', ...changes });

describe('ended jobs', () => {
  test('are asked for by instance and status, never by what would renew a lease', async () => {
    await using at = await serving((_, res) => json(res, []));
    expect(await endedJobs(at.books, 'inst-1', 'inst-2')).toEqual({ jobs: [], unreadable: 0 });
    expect(at.seen.map(({ url }) => url)).toEqual(
      [3, 4, 5].flatMap((status) =>
        ['inst-1', 'inst-2'].map((instance) => `/api/v1/jobs/?instance=${instance}&status=${status}`),
      ),
    );
  });

  test('are read once from a broker that ignores filters, for all instances of this host', async () => {
    const all = [
      ended(),
      ended({ uuid: 'b', instance: 'inst-2', status: 4, cost: null }),
      ended({ uuid: 'c', instance: 'another' }),
      ended({ uuid: 'd', status: 2, cost: null }),
      ended({ uuid: 'e', status: 1, instance: null }),
      ended({ uuid: 'f', status: 5, finished_at: 'yesterday', assigned_at: 5, created_at: null }),
      ended({ uuid: '../g' }),
      7,
    ];
    await using at = await serving((_, res) => json(res, all));
    const { jobs, unreadable } = await endedJobs(at.books, 'inst-1', 'inst-2');
    expect(at.seen).toHaveLength(1);
    expect(jobs).toMatchObject([
      { uuid: 'job-1', instance: 'inst-1', status: 3, microDollars: 13 },
      { uuid: 'b', instance: 'inst-2', status: 4, microDollars: undefined },
      { uuid: 'f', status: 5, endedAt: undefined },
    ]);
    expect(unreadable).toBe(2);
    // Ten seconds before the broker’s time, whatever that is.
    expect(Math.abs(Date.now() - 10_000 - (jobs[0]?.endedAt ?? 0))).toBeLessThan(60_000);
  });

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['the status', ['instance'], ['inst-1&status=3', 'inst-2&status=3']],
    ['the instance', ['status'], ['inst-1&status=3', 'inst-1&status=4', 'inst-1&status=5']],
  ])('are all read from a broker that ignores %s', async (_, honoured, asked) => {
    const all = ['inst-1', 'inst-2'].flatMap((instance) =>
      [3, 4, 5].map((status) => ({ uuid: `${instance}-${status}`, instance, status })),
    );
    await using at = await serving((seen, res) => {
      const query = new URL(seen.url, at.url).searchParams;
      const matches = (job: (typeof all)[number]): boolean =>
        (!honoured.includes('instance') || job.instance === query.get('instance')) &&
        (!honoured.includes('status') || String(job.status) === query.get('status'));
      json(res, all.filter(matches).map(ended));
    });
    const { jobs } = await endedJobs(at.books, 'inst-1', 'inst-2');
    expect(new Set(jobs.map(({ uuid }) => uuid))).toEqual(new Set(all.map(({ uuid }) => uuid)));
    expect(at.seen.map(({ url }) => url)).toEqual(asked.map((query) => `/api/v1/jobs/?instance=${query}`));
  });

  test('of an instance that the broker has deleted are no reason to ask for no others', async () => {
    await using at = await serving(({ url }, res) => {
      if (url.includes('inst-1')) json(res, { instance: ['Invalid pk'] }, 400);
      else json(res, url.includes('status=3') ? [ended({ instance: 'inst-2' })] : []);
    });
    expect((await endedJobs(at.books, 'inst-1', 'inst-2')).jobs).toHaveLength(1);
    expect(at.seen.filter(({ url }) => url.includes('inst-1'))).toHaveLength(1);
  });

  test('are asked for without filters where the broker refuses them', async () => {
    await using at = await serving(({ url }, res) => {
      if (url.includes('?')) json(res, { detail: 'Not found.' }, 404);
      else json(res, [ended(), ended({ uuid: 'b', status: 2 })]);
    });
    expect((await endedJobs(at.books, 'inst-1')).jobs.map(({ uuid }) => uuid)).toEqual(['job-1']);
  });

  test('are read page by page', async () => {
    await using at = await serving(({ url }, res) => {
      const isSecond = url.includes('page=2');
      const results = [ended({ uuid: isSecond ? 'b' : 'a' })];
      const next = isSecond || !url.includes('status=3') ? null : `${at.url}/api/v1/jobs/?page=2`;
      json(res, {
        count: 2,
        next,
        results: url.includes('status=3') || isSecond ? results : [],
      });
    });
    expect((await endedJobs(at.books, 'inst-1')).jobs.map(({ uuid }) => uuid)).toEqual(['a', 'b']);
  });

  test.each([
    ['an answer that is no list', (res: ServerResponse) => json(res, { detail: 'x' }), 'BROKER_BAD_ANSWER'],
    ['a page of HTML', (res: ServerResponse) => res.end('<html>'), 'BROKER_NOT_JSON'],
    ['a failure', (res: ServerResponse) => res.writeHead(500).end(), 'BROKER_UNAVAILABLE'],
    [
      'a refused token',
      (res: ServerResponse) => json(res, { detail: 'Invalid token.' }, 401),
      'BROKER_UNAUTHORIZED',
    ],
  ])('end with %s', async (_, answer, code) => {
    await using at = await serving((__, res) => {
      answer(res);
    });
    expect((await failure(endedJobs(at.books, 'inst-1'))).code).toBe(code);
    expect((await failure(at.books.account(never))).code).toBe(code);
    expect((await failure(at.books.job('a', never))).code).toBe(code);
  });
});

test.each([
  [{ balance: '-12.3456789' }, { balance: -12_345_679, spent: undefined }],
  [
    { balance: 5, spent: '0.10' },
    { balance: 5e6, spent: 100_000 },
  ],
  [
    { balance: 5, spent: {} },
    { balance: 5e6, spent: undefined },
  ],
])('the account %j is read', async (body, account) => {
  await using at = await serving((_, res) => json(res, body));
  expect(await at.books.account(never)).toEqual(account);
});

test('a job that the broker does not know is undefined', async () => {
  await using at = await serving((_, res) => json(res, { detail: 'Not found.' }, 404));
  expect(await at.books.job('a', never)).toBeUndefined();
});
