import { describe, expect, test } from 'vitest';
import type { InvalidItem } from '../../../src/domain/ports/broker.ts';
import { clientOf, failure, never } from '../../support/broker-client/client.ts';
import { instanceResource, jobResource, runResource } from '../../support/broker-client/resources.ts';
import { httpServer, json } from '../../support/faults/server.ts';

const QUERY = { instance: 'inst-1', etag: undefined, waitSeconds: 0, signal: never };

async function serving(body: unknown) {
  const server = await httpServer((_, res) => json(res, body));
  const client = clientOf(server.url);
  return {
    ...client,
    seen: server.seen,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the market', () => {
  test('is polled with the instance and parsed', async () => {
    await using at = await serving([runResource({ bid_price: '0.0150', base_gpu: 'gpu-9' })]);
    const answer = await at.broker.runs(QUERY);
    expect(at.seen[0]).toMatchObject({ method: 'GET', url: '/api/v1/runs?instance=inst-1' });
    expect(at.seen[0]?.headers).not.toHaveProperty('prefer');
    expect(at.seen[0]?.headers).not.toHaveProperty('if-none-match');
    expect(answer).toMatchObject({
      unchanged: false,
      waited: false,
      etag: undefined,
      retryAfterMs: undefined,
      invalid: [],
      moreInvalid: 0,
      isCut: false,
      runs: [
        {
          uuid: '3f8c2f52-0000-4000-8000-000000000001',
          functionUuid: '3f8c2f52-0000-4000-8000-0000000000f1',
          functionName: 'hello',
          baseGpu: 'gpu-9',
          baseGpuName: 'n/a',
          numJobs: 1,
          bidPrice: 0.015,
          createdAt: Date.UTC(2026, 2, 5, 10, 20, 30),
        },
      ],
    });
  });

  test('is polled without a query if no instance is given', async () => {
    await using at = await serving([]);
    await at.broker.runs({ ...QUERY, instance: undefined });
    expect(at.seen[0]?.url).toBe('/api/v1/runs');
  });

  test('returns invalid items with their reason beside the valid ones', async () => {
    const bad: readonly (readonly [unknown, string])[] = [
      [null, 'not an object'],
      [7, 'not an object'],
      [[], 'not an object'],
      [{}, 'uuid: missing'],
      [runResource({ uuid: '../../etc' }), 'uuid: not an id'],
      [runResource({ uuid: 'b1', function: null }), 'function: not an id'],
      [runResource({ uuid: 'b2', base_gpu: 5 }), 'base_gpu: not an id or null'],
      [runResource({ uuid: 'x'.repeat(65) }), 'uuid: not an id'],
      [runResource({ uuid: 'b4', num_jobs: 1.5 }), 'num_jobs: not a whole number'],
      [runResource({ uuid: 'b5', bid_price: 'abc' }), 'bid_price: not an amount of money'],
      [runResource({ uuid: 'b6', bid_price: -1 }), 'bid_price: not an amount of money'],
      [runResource({ uuid: 'b7', created_at: '31-02-2026 00:00:00' }), 'created_at: not a time'],
      [runResource({ uuid: 'b8', created_at: undefined }), 'created_at: missing'],
    ];
    await using at = await serving([...bad.map(([item]) => item), runResource({ function_name: 5 })]);
    const { invalid, runs } = await at.broker.runs(QUERY);
    expect(runs.map(({ functionName }) => functionName)).toEqual(['n/a']);
    expect(invalid.map(({ reason }) => reason)).toEqual(bad.map(([, reason]) => reason));
    expect(invalid.at(-1)?.uuid).toBe('b8');
    expect(invalid[4]?.uuid).toBeUndefined();
  });

  test('accepts a run without the fields that are optional', async () => {
    const bare = runResource({
      base_gpu: undefined,
      current_server_time: undefined,
      base_gpu_name: undefined,
    });
    await using at = await serving([bare]);
    const { invalid, runs } = await at.broker.runs(QUERY);
    expect(invalid).toEqual([]);
    expect(runs).toMatchObject([{ baseGpu: null, baseGpuName: 'n/a' }]);
  });

  test('counts a run that is listed twice once', async () => {
    await using at = await serving([runResource(), runResource()]);
    expect((await at.broker.runs(QUERY)).runs).toHaveLength(1);
  });

  test.each([[{}], ['x'], [null], [{ results: 5 }]])('rejects %j, which is not a list', async (body) => {
    await using at = await serving(body);
    await expect(at.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });

  test('sends ETag and Prefer, and reads the answer’s headers', async () => {
    await using server = await httpServer((_, res) => {
      res.writeHead(304, { etag: '"v2"', 'preference-applied': 'wait=25', 'retry-after': '3' }).end();
    });
    await using client = clientOf(server.url);
    const answer = await client.broker.runs({ ...QUERY, etag: '"v1"', waitSeconds: 25 });
    expect(server.seen[0]?.headers).toMatchObject({ 'if-none-match': '"v1"', prefer: 'wait=25' });
    expect(answer).toMatchObject({
      unchanged: true,
      runs: [],
      invalid: [],
      moreInvalid: 0,
      isCut: false,
      etag: '"v2"',
      waited: true,
      retryAfterMs: 3_000,
    });
  });

  test('accepts JSON with any content type', async () => {
    await using server = await httpServer((_, res) =>
      res.writeHead(200, { 'content-type': 'text/html' }).end('[]'),
    );
    await using client = clientOf(server.url);
    expect((await client.broker.runs(QUERY)).runs).toEqual([]);
  });

  test('reads 100,000 runs, twice', async () => {
    const runs = Array.from({ length: 100_000 }, (_, i) =>
      runResource({ uuid: `run-${i}`, bid_price: i / 1e5 }),
    );
    const body = JSON.stringify(runs);
    await using server = await httpServer((_, res) => res.writeHead(200).end(body));
    await using client = clientOf(server.url);
    for (const _ of [1, 2]) expect((await client.broker.runs(QUERY)).runs).toHaveLength(100_000);
  });
});

describe('pages', () => {
  test('are followed to the end', async () => {
    await using server = await httpServer(({ url }, res) => {
      const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1);
      const next = page < 4 ? `${server.url}/api/v1/gpus/?page=${page + 1}` : null;
      json(res, {
        count: 4,
        next,
        previous: null,
        results: [{ uuid: `g${page}`, name: 'GPU', cuda_cores: 1 }],
      });
    });
    await using client = clientOf(server.url);
    const { items } = await client.broker.gpus(never);
    expect(items.map(({ uuid }) => uuid)).toEqual(['g1', 'g2', 'g3', 'g4']);
  });

  test('that repeat are BROKER_BAD_ANSWER', async () => {
    await using server = await httpServer((_, res, count) => {
      const next = `${server.url}/?page=${count % 3}`;
      json(res, { next, results: [] });
    });
    await using client = clientOf(server.url);
    await expect(client.broker.heldJobs('inst-1', never)).rejects.toMatchObject({
      code: 'BROKER_BAD_ANSWER',
    });
    expect(server.seen.length).toBeLessThan(10);
  });

  test('of another origin are refused', async () => {
    await using elsewhere = await httpServer((_, res) => json(res, []));
    await using server = await httpServer((_, res) => json(res, { next: `${elsewhere.url}/x`, results: [] }));
    await using client = clientOf(server.url);
    await expect(client.broker.gpus(never)).rejects.toMatchObject({ code: 'BROKER_REDIRECTED_AWAY' });
    expect(elsewhere.connections()).toBe(0);
  });

  test('of which one fails make the call fail', async () => {
    await using server = await httpServer((_, res, count) => {
      if (count === 1) json(res, { next: `${server.url}/?page=2`, results: [jobResource()] });
      else json(res, {}, 500);
    });
    await using client = clientOf(server.url);
    await expect(client.broker.heldJobs('inst-1', never)).rejects.toMatchObject({
      code: 'BROKER_UNAVAILABLE',
    });
  });
});

describe('from a broker that ignores filters', () => {
  const all = [
    jobResource({ uuid: 'held' }),
    jobResource({ uuid: 'held' }),
    jobResource({ uuid: 'others', instance: 'inst-2' }),
    jobResource({ uuid: 'open', status: 1, instance: null }),
    jobResource({ uuid: 'open-elsewhere', status: 1, instance: null, run: 'run-2' }),
    jobResource({ uuid: 'done', status: 3 }),
    { nonsense: true },
    jobResource({ uuid: 'garbled', status: 'two' }),
    jobResource({ uuid: 'garbled-open', status: 1, instance: undefined, arguments: null }),
    jobResource({ uuid: 'garbled-done', status: 3, arguments: null }),
    jobResource({ uuid: 'garbled-elsewhere', run: 'run-2', instance: 'inst-2', arguments: null }),
    jobResource({ uuid: 'garbled-unassigned', run: 'run-2', instance: null, arguments: null }),
    jobResource({ uuid: 'open-bare', status: 1, instance: undefined }),
    jobResource({ uuid: 'whose', instance: undefined }),
    jobResource({ uuid: 'x'.repeat(65), status: 1 }),
  ];
  const reasons = (invalid: readonly InvalidItem[]) =>
    invalid.map(({ reason, uuid }) => [uuid, reason.split(':')[0]]);

  test('open jobs are the CREATED ones of the run', async () => {
    await using at = await serving(all);
    const { invalid, items: jobs } = await at.broker.openJobs('run-1', never);
    expect(jobs.map(({ instance, uuid }) => [uuid, instance])).toEqual([
      ['open', null],
      ['open-bare', null],
    ]);
    expect(reasons(invalid)).toEqual([
      [undefined, 'uuid'],
      ['garbled', 'status'],
      ['garbled-open', 'arguments'],
      [undefined, 'uuid'],
    ]);
    expect(at.seen[0]?.url).toBe('/api/v1/jobs/?run=run-1&status=1');
  });

  test('held jobs are those in progress at the instance, and invalid items that may be', async () => {
    await using at = await serving(all);
    const { invalid, items: jobs } = await at.broker.heldJobs('inst-1', never);
    expect(jobs.map(({ uuid }) => uuid)).toEqual(['held']);
    expect(reasons(invalid)).toEqual([
      [undefined, 'uuid'],
      ['garbled', 'status'],
      ['whose', 'instance'],
    ]);
    expect(at.seen[0]?.url).toBe('/api/v1/jobs/?instance=inst-1&status=2');
  });
});

describe('single resources', () => {
  test('an instance may have its price as decimal text', async () => {
    await using at = await serving([instanceResource(), instanceResource({ uuid: 'inst-2', type: 3 }), null]);
    const { invalid, items } = await at.broker.instances(never);
    expect(invalid.map(({ uuid }) => uuid)).toEqual(['inst-2', undefined]);
    expect(items).toEqual([
      {
        uuid: 'inst-1',
        name: 'rig',
        kind: 'gpu',
        gpu: 'gpu-1',
        askPrice: 0.01,
        maxParallelJobs: 2,
        available: true,
      },
    ]);
  });

  test('the catalogue has its invalid GPUs beside the valid ones', async () => {
    const gpus = [
      { uuid: 'g1', name: 'Nvidia A', cuda_cores: '2560' },
      { uuid: 'g2', name: 'Nvidia B', cuda_cores: 1 },
      { uuid: '../', name: 'Nvidia C', cuda_cores: 1 },
    ];
    await using at = await serving(gpus);
    const { invalid, items } = await at.broker.gpus(never);
    expect(items).toEqual([{ uuid: 'g2', name: 'Nvidia B', codename: '', cudaCores: 1 }]);
    expect(invalid.map(({ reason, uuid }) => [uuid, reason.split(':')[0]])).toEqual([
      ['g1', 'cuda_cores'],
      [undefined, 'uuid'],
    ]);
  });

  test('an instance without the field gpu has none', async () => {
    await using at = await serving(instanceResource({ type: 1, gpu: undefined }));
    expect(await at.broker.instance('inst-1', never)).toMatchObject({ kind: 'cpu', gpu: null });
  });

  test('a function and an image are looked up by id', async () => {
    const resource = {
      uuid: 'x',
      name: 'f',
      code: 'c',
      runtime: 'python36',
      image: 'i',
      registry_path: 'a/b:c',
    };
    await using at = await serving({ ...resource, requires_gpu: true });
    expect(await at.broker.function('x', never)).toEqual({
      spec: { uuid: 'x', name: 'f', runtime: 'python36', imageUuid: 'i', registryPath: 'a/b:c' },
      code: Buffer.from('c'),
    });
    expect(await at.broker.image('x', never)).toMatchObject({ registryPath: 'a/b:c', requiresGpu: true });
    expect(at.seen.map(({ url }) => url)).toEqual(['/api/v1/functions/x/', '/api/v1/images/x/']);
  });

  test('an invalid function is BROKER_BAD_ANSWER with the fields', async () => {
    await using at = await serving({ uuid: 'x', name: 'f', code: 5, runtime: 'python36', image: 'i' });
    const { code, message } = await failure(at.broker.function('x', never));
    expect(code).toBe('BROKER_BAD_ANSWER');
    expect(message).toMatch(/code: .*; registry_path: /);
  });

  test('the broker’s clock is the account’s server time, or else the Date header', async () => {
    await using server = await httpServer((_, res, count) => {
      const body = count === 1 ? { current_server_time: '05-03-2026 10:21:00' } : { balance: 1 };
      json(res, body, 200, { date: 'Thu, 05 Mar 2026 10:22:00 GMT' });
    });
    await using client = clientOf(server.url);
    expect((await client.broker.clock(never))?.brokerMs).toBe(Date.UTC(2026, 2, 5, 10, 21));
    expect((await client.broker.clock(never))?.brokerMs).toBe(Date.UTC(2026, 2, 5, 10, 22));
  });

  test('ids are escaped in paths', async () => {
    await using at = await serving(runResource());
    await at.broker.run('a/../b?c', never);
    expect(at.seen[0]?.url).toBe('/api/v1/runs/a%2F..%2Fb%3Fc');
  });
});
