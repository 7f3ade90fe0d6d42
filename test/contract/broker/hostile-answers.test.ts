import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/broker/client.ts';
import { LIMITS } from '../../../src/limits.ts';
import { clientOf, failure, never, TOKEN } from '../../support/broker-client/client.ts';
import { jobResource, runResource } from '../../support/broker-client/resources.ts';
import { httpServer, json, unreadServer } from '../../support/faults/server.ts';

const QUERY = { instance: 'inst-1', etag: undefined, waitSeconds: 0, signal: never };
const MB = 1_000_000;

type Part = string | Buffer;

/** The same part so many times; `count` may be endless. */
function* times(count: number, part: Part): Generator<Part> {
  for (let n = 0; n < count; n += 1) yield part;
}

/** A part of so many bytes, or a little more, of copies of a text. */
const block = (text: string, bytes = 65_536): Buffer =>
  Buffer.from(text.repeat(Math.ceil(bytes / text.length)));

/** About so many bytes of copies of a text. */
const filler = (bytes: number, text = 'x'): Generator<Part> => times(bytes / 65_536, block(text));

function* joined(...parts: readonly (Part | Iterable<Part>)[]): Generator<Part> {
  for (const part of parts) {
    if (typeof part === 'string' || Buffer.isBuffer(part)) yield part;
    else yield* part;
  }
}

/** A run as JSON with this text in its parameters. */
const runWith = (uuid: string, parameters: Iterable<Part>, changes = {}): Generator<Part> => {
  const [before = '', after = ''] = JSON.stringify(runResource({ uuid, parameters: '@', ...changes })).split(
    '@',
  );
  return joined(before, parameters, after);
};

type Answer = (request: IncomingMessage, response: ServerResponse) => Iterable<Part>;

/** Calls a broker that answers with these parts, as fast as they are read. */
async function asking<T>(answer: Answer, call: (broker: HttpBroker) => Promise<T>): Promise<T> {
  await using server = await unreadServer(async (request, response) => {
    await pipeline(Readable.from(answer(request, response), { objectMode: true }), response);
  });
  await using client = clientOf(server.url);
  return await call(client.broker);
}

function redirect(response: ServerResponse, location: string): void {
  response.statusCode = 302;
  response.setHeader('location', location);
}

const runsOf = (answer: Answer) => asking(answer, (broker) => broker.runs(QUERY));

/** How much memory a call needs beyond what was there, at most, in bytes. */
async function memoryOf<T>(call: () => Promise<T>): Promise<{ readonly result: T; readonly bytes: number }> {
  const used = (): number => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, used())), 10);
  try {
    return { result: await call(), bytes: most - before };
  } finally {
    clearInterval(timer);
  }
}

const GOOD = [...runWith('good', ['()'], { bid_price: 5 })];

test('a claim with long arguments waits for no other large answer', async () => {
  const text = 'x'.repeat(2 * LIMITS.broker.atOnce.max);
  const isHeld = Promise.withResolvers<void>();
  await using server = await httpServer(({ method }, response) => {
    if (method === 'PATCH') return json(response, jobResource({ arguments: `('${text}',)` }));
    // The code was read once so much has been taken after it.
    response.write(`{"code":"${text}","unwanted":"`);
    response.write(Buffer.alloc(32 * MB, 'x'), () => isHeld.resolve());
  });
  await using client = clientOf(server.url);
  const end = new AbortController();
  const other = failure(client.broker.function('function-1', end.signal));
  await isHeld.promise;
  const claimed = await client.broker.claim('job-1', 'inst-1', AbortSignal.timeout(10_000));
  expect(claimed).toMatchObject({ kind: 'claimed', job: { uuid: 'job-1' } });
  end.abort();
  await other;
});

describe('a market', () => {
  test.each([
    ['of `(),(),...`', '(),'],
    ['of escapes', String.raw`\"\n\u0000`],
  ])(
    'with a run whose parameters are 225 MB %s has this run, and needs no memory for them',
    async (_, text) => {
      const { bytes, result } = await memoryOf(() =>
        runsOf(() => joined('[', runWith('large', filler(225 * MB, text)), ',', ...GOOD, ']')),
      );
      expect(result.runs.map(({ bidPrice, uuid }) => [uuid, bidPrice])).toEqual([
        ['large', 0.01],
        ['good', 5],
      ]);
      expect(bytes).toBeLessThan(120 * MB);
    },
  );

  test('with 112 runs of 2.4 MB and one that pays 5 has all of them', async () => {
    function* list(): Generator<Part> {
      yield '[';
      for (let n = 0; n < 112; n += 1) yield* joined(...runWith(`r${n}`, filler(2.4 * MB, '(),')), ',');
      yield* joined(...GOOD, ']');
    }
    const { isCut, runs } = await runsOf(list);
    expect(runs).toHaveLength(113);
    expect(isCut).toBe(false);
    expect(runs.at(-1)).toMatchObject({ uuid: 'good', bidPrice: 5 });
  });

  test('of 240 MB of `{}` is cut, and its invalid items are counted', async () => {
    const { bytes, result } = await memoryOf(() => runsOf(() => joined('[', filler(240 * MB, '{},'), '{}]')));
    expect(result).toMatchObject({ isCut: true, runs: [] });
    expect(result.invalid).toHaveLength(LIMITS.broker.invalidItems.max);
    expect(result.invalid.length + result.moreInvalid).toBe(LIMITS.broker.listItems.max);
    expect(bytes).toBeLessThan(120 * MB);
  });

  test('of endless pages of 16 MB ends, and what was read of it counts', async () => {
    let pages = 0;
    const { bytes, result } = await memoryOf(() =>
      runsOf(({ headers }) => {
        pages += 1;
        const next = `http://${headers.host}/api/v1/runs?page=${pages}`;
        const page = runWith(`r${pages}`, filler(16 * MB), { bid_price: pages });
        return joined(`{"next":"${next}","results":[`, page, ']}');
      }),
    );
    expect(result.isCut).toBe(true);
    expect(result.runs.length).toBeGreaterThan(10);
    expect(pages).toBeLessThan(100);
    expect(bytes).toBeLessThan(120 * MB);
  });

  test.each([
    ['fails', (response: ServerResponse) => void (response.statusCode = 500)],
    ['is redirected away', (response: ServerResponse) => redirect(response, `http://${'x'.repeat(7_000)}/`)],
    ['is redirected nowhere', (response: ServerResponse) => redirect(response, 'http://[')],
  ])('with a next page of a long address that %s: the error is short, and has no token', async (_, fail) => {
    const next = `/api/v1/${TOKEN}/${'x'.repeat(7_000)}`;
    const call = runsOf(({ headers, url }, response) => {
      if (url !== '/api/v1/runs?instance=inst-1') fail(response);
      return [`{"next":"http://${headers.host}${next}","results":[]}`];
    });
    const { hint, message } = await failure(call);
    expect(message.length + (hint?.length ?? 0)).toBeLessThan(2_000);
    expect(message).not.toContain(TOKEN);
  });

  test('of the same page again and again counts once', async () => {
    const page = ({ headers }: IncomingMessage): Iterable<Part> =>
      joined(`{"next":"http://${headers.host}/api/v1/runs?page=2","results":[`, ...GOOD, ']}');
    expect(await runsOf(page)).toMatchObject({ isCut: true, runs: [{ uuid: 'good' }] });
  });

  test('with more runs than are kept has those with the highest bids', async () => {
    function* list(): Generator<Part> {
      yield '[';
      for (let n = 0; n < LIMITS.broker.runs.max + 50_000; n += 1)
        yield `${JSON.stringify(runResource({ uuid: `r${n}`, bid_price: n }))},`;
      yield '{}]';
    }
    const { isCut, runs } = await runsOf(list);
    expect(isCut).toBe(true);
    expect(runs).toHaveLength(LIMITS.broker.runs.max);
    expect(Math.min(...runs.slice(0, 50_000).map(({ bidPrice }) => bidPrice))).toBe(50_000);
  });

  test.each<[string, Iterable<Part>, string]>([
    ['that is nothing but `[`', filler(50 * MB, '['), 'BROKER_NOT_JSON'],
    ['that is nothing but `{"a":`', filler(50 * MB, '{"a":'), 'BROKER_NOT_JSON'],
    ['whose only key has 50 MB', joined('{"', filler(50 * MB), '":1}'), 'BROKER_BAD_ANSWER'],
    ['that is a text of 50 MB', joined('"', filler(50 * MB), '"'), 'BROKER_BAD_ANSWER'],
    ['that is a number of 50 MB', filler(50 * MB, '9'), 'BROKER_NOT_JSON'],
    ['that is white space', filler(50 * MB, ' '), 'BROKER_NOT_JSON'],
    ['that is NULs', filler(50 * MB, '\0'), 'BROKER_NOT_JSON'],
    ['that is compressed', [gzipSync('[]')], 'BROKER_NOT_JSON'],
    ['that has half a byte order mark', [Buffer.from([0xef, 0xbb]), '[]'], 'BROKER_NOT_JSON'],
    [
      'whose next page has an address of 1 MB',
      joined('{"results":[],"next":"', filler(MB), '"}'),
      'BROKER_BAD_ANSWER',
    ],
  ])('%s is an error', async (_, parts, code) => {
    const call = runsOf((__, response) => {
      response.setHeader('content-encoding', 'gzip');
      return parts;
    });
    const error = await failure(call);
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(1_000);
  });

  const RUN = JSON.stringify(runResource({ uuid: 'odd' }));
  test.each<[string, Iterable<Part>]>([
    ['a key of 20 MB', joined('{"', filler(20 * MB), '":1,', RUN.slice(1))],
    [
      'a value of a million levels',
      joined('{"x":', filler(5 * MB, '['), filler(5 * MB, ']'), ',', RUN.slice(1)),
    ],
    ['a million keys', joined('{', filler(20 * MB, '"some_key":[1,2,3],'), RUN.slice(1))],
    ['the same key twice', [RUN.replace('{', '{"uuid":"other","bid_price":"high",')]],
    ['a number of a million digits', joined('{"x":', filler(MB, '9'), ',', RUN.slice(1))],
    ['a name of 5 MB', joined(RUN.slice(0, -1), ',"function_name":"', filler(5 * MB), '"}')],
    ['bytes that are no UTF-8', [RUN.slice(0, -1), ',"x":"', Buffer.from([0xff, 0xc0, 0x80, 0]), '"}']],
    ['half a surrogate pair', [RUN.slice(0, -1), String.raw`,"function_name":"\ud800","x":"\udfff"}`]],
    ['a byte order mark before it', joined()],
  ])('with a run that has %s has the run', async (name, run) => {
    const mark = name.startsWith('a byte order mark') ? '\ufeff' : '';
    const { invalid, runs } = await runsOf(() =>
      joined(`${mark}[`, mark === '' ? run : RUN, ',', ...GOOD, ']'),
    );
    expect(invalid).toEqual([]);
    expect(runs.map(({ uuid }) => uuid)).toEqual(['odd', 'good']);
  });

  test.each<[string, Iterable<Part>, string | undefined, string]>([
    ['a uuid of 10 MB', joined('{"uuid":"', filler(10 * MB), '"}'), undefined, 'uuid: longer than 512 bytes'],
    ['a bid of 1e999', [RUN.replace('0.01', '1e999')], 'odd', 'bid_price: not an amount of money'],
    [
      'a bid of 400 digits',
      [RUN.replace('0.01', '9'.repeat(400))],
      'odd',
      'bid_price: not an amount of money',
    ],
    [
      'a bid of a million digits',
      joined(RUN.slice(0, -1), ',"bid_price":', filler(MB, '9'), '}'),
      'odd',
      'bid_price: longer than 512 bytes',
    ],
    ['a bid of NaN', [RUN.replace('0.01', 'NaN')], 'odd', 'not JSON'],
  ])('with a run that has %s has the other runs, and says what is wrong', async (_, run, uuid, reason) => {
    const { invalid, runs } = await runsOf(() => joined('[', run, ',', ...GOOD, ']'));
    expect(invalid).toEqual([{ uuid, reason }]);
    expect(runs.map(({ uuid }) => uuid)).toEqual(['good']);
  });

  test('that comes byte by byte is read', async () => {
    const text = Buffer.from(`[${RUN}]`);
    const { runs } = await runsOf(() => Array.from(text, (_, at) => text.subarray(at, at + 1)));
    expect(runs).toHaveLength(1);
  });
});

describe('a list of a million jobs', () => {
  function* jobs(wanted: Record<string, unknown>): Generator<Part> {
    const old = JSON.stringify(jobResource({ status: 3, instance: 'inst-2', run: 'run-2' }));
    yield '[';
    yield* times(10_000, block(`${old},`, 100 * old.length));
    for (let n = 0; n < 200; n += 1) yield `${JSON.stringify(jobResource({ uuid: `job-${n}`, ...wanted }))},`;
    yield `${old}]`;
  }

  test('has its open ones, as many as are looked at', async () => {
    const open = { status: 1, instance: null };
    const { isCut, items } = await asking(
      () => jobs(open),
      (broker) => broker.openJobs('run-1', never),
    );
    expect(isCut).toBe(true);
    expect(items).toHaveLength(LIMITS.broker.openJobs.max);
  });

  test('has all that are held', async () => {
    const { isCut, items } = await asking(
      () => jobs({ status: 2 }),
      (broker) => broker.heldJobs('inst-1', never),
    );
    expect(isCut).toBe(false);
    expect(items).toHaveLength(200);
  });

  test('that are all held is refused, because it would never be whole', async () => {
    function* held(): Generator<Part> {
      yield '[';
      for (let n = 0; n < 1_000_000; n += 1) yield `${JSON.stringify(jobResource({ uuid: `job-${n}` }))},`;
      yield '{}]';
    }
    const call = asking(held, (broker) => broker.heldJobs('inst-1', never));
    await expect(call).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });
});

describe('the arguments of a job', () => {
  const withArguments = (bytes: number, changes = {}): Iterable<Part> => {
    const [before = '', after = ''] = JSON.stringify(jobResource({ arguments: '@', ...changes })).split('@');
    return joined(before, filler(bytes, '(),'), after);
  };

  test('may have 4 MB when it is claimed', async () => {
    const answer = await asking(
      () => withArguments(3.9 * MB),
      (broker) => broker.claim('job-1', 'inst-1', never),
    );
    const args = answer.kind === 'claimed' ? answer.job.arguments : undefined;
    expect(typeof args === 'string' && args.length > 3.8 * MB).toBe(true);
  });

  test.each([5 * MB, 100 * MB])(
    'are not read where they have %i bytes, and the job is claimed',
    async (bytes) => {
      const answer = await asking(
        () => withArguments(bytes),
        (broker) => broker.claim('job-1', 'inst-1', never),
      );
      expect(answer).toMatchObject({ kind: 'claimed', job: { uuid: 'job-1' } });
    },
  );

  test('are read of an open job where they are short; of another their length', async () => {
    const open = { status: 1, instance: null };
    const { items } = await asking(
      () =>
        joined(
          '[',
          withArguments(0, { ...open, uuid: 'short' }),
          ',',
          withArguments(MB, { ...open, uuid: 'long' }),
          ',',
          withArguments(50 * MB, { ...open, uuid: 'too-long' }),
          ']',
        ),
      (broker) => broker.openJobs('run-1', never),
    );
    const lengths = items.map((job) =>
      typeof job.arguments === 'string' ? job.arguments : job.arguments.bytes > 40 * MB,
    );
    expect(lengths).toEqual(['', false, true]);
  });
});

describe('a function', () => {
  const FN = { uuid: 'f', name: 'f', code: '@', runtime: 'python36', image: 'i', registry_path: 'a/b:c' };
  const [before = '', after = ''] = JSON.stringify(FN).split('@');
  const functionOf = (parts: Iterable<Part>) =>
    asking(
      () => joined(before, parts, after),
      (broker) => broker.function('f', never),
    );

  test('may have 5 MB of code', async () => {
    expect((await functionOf(filler(5 * MB)))?.code.length).toBeGreaterThan(4.9 * MB);
  });

  test('is read beside others whose code has 5 MB too, one after the other', async () => {
    const answer = (): Iterable<Part> => joined(before, filler(5 * MB), after);
    const { bytes, result } = await memoryOf(() =>
      asking(answer, (broker) =>
        Promise.all(Array.from({ length: 8 }, async () => (await broker.function('f', never))?.code.length)),
      ),
    );
    expect(new Set(result).size).toBe(1);
    expect(bytes).toBeLessThan(200 * MB);
  });

  test('that never comes to an end makes the next one wait until it is given up', async () => {
    let calls = 0;
    await using server = await unreadServer(async (_, response) => {
      calls += 1;
      response.write(before + 'x'.repeat(MB));
      if (calls > 1) response.end(after);
    });
    await using client = clientOf(server.url, { bodyIdleMs: 500 });
    const first = failure(client.broker.function('f', never));
    await server.connected;
    const second = client.broker.function('f', never);
    expect((await first).code).toBe('BROKER_UNREACHABLE');
    expect((await second)?.code.length).toBe(MB);
  });

  test.each([6 * MB, 100 * MB])('of %i bytes of code is invalid', async (bytes) => {
    await expect(functionOf(filler(bytes))).rejects.toMatchObject({ code: 'FUNCTION_INVALID' });
  });
});

describe('a refusal', () => {
  test.each([400, 401, 404, 429, 500])('%i with 100 MB of junk is read in part', async (status) => {
    const { bytes, result } = await memoryOf(() =>
      failure(
        runsOf((_, response) => {
          response.statusCode = status;
          return joined('{"detail":"', filler(100 * MB), '"}');
        }),
      ),
    );
    expect(result.code).toMatch(/^BROKER_/);
    expect(result.message.length).toBeLessThan(1_000);
    expect(bytes).toBeLessThan(60 * MB);
  });

  test('in the form of a success with 300 MB of a text is refused', async () => {
    const call = asking(
      () => joined('{"detail":"', filler(300 * MB), '"}'),
      (broker) => broker.stopInstance('inst-1', never),
    );
    await expect(call).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });
});
