import type { Dice } from './dice.ts';
import type { Distortion, Endpoint, FuzzCall, Fuzzer, Honest } from './front.ts';
import {
  isFields,
  isItems,
  longText,
  manyItems,
  nested,
  piecesOf,
  repeated,
  twiceEachKey,
} from './lazy-json.ts';
import { oddJson, oddValue } from './odd-values.ts';
import type { RawAnswer } from './raw-answer.ts';

const LISTS: readonly Endpoint[] = ['runs', 'gpus', 'instances', 'open-jobs', 'held-jobs'];
/** What the agent believes of the answers to these decides about a job; of the last two also for as long as its run is there. */
const ABOUT_A_JOB: readonly Endpoint[] = ['job', 'job-change', 'function', 'image'];
const isList = ({ endpoint }: FuzzCall): boolean => LISTS.includes(endpoint);
const isAboutAJob = ({ endpoint }: FuzzCall): boolean => ABOUT_A_JOB.includes(endpoint);

/** An answer with this body, complete and correct but for what `more` says. */
function answer(body: Iterable<string>, more: Partial<RawAnswer> = {}): RawAnswer {
  return {
    status: 200,
    headers: [['Content-Type', 'application/json']],
    framing: 'chunked',
    end: 'whole',
    ...more,
    body,
  };
}

const json = (value: unknown, more: Partial<RawAnswer> = {}): RawAnswer => answer(piecesOf(value), more);

/** The broker's own answer, complete and correct but for what `more` says. */
const same = ({ headers, status, text }: Honest, more: Partial<RawAnswer> = {}): RawAnswer =>
  answer([text], { status, headers: Object.entries(headers), ...more });

/** Distorts what the broker says to a call that it has heard. */
const heard = (make: (honest: Honest) => RawAnswer, isLie = false): Distortion => ({
  passOn: true,
  answer: make,
  isLie,
});

function parsed({ status, text }: Honest): unknown {
  try {
    return status < 300 ? JSON.parse(text) : undefined;
  } catch {
    // Held calls end with a 304 and no body.
    return undefined;
  }
}

/** The items of a list, in pages or not; undefined: the answer is none. */
function itemsOf(honest: Honest): readonly unknown[] | undefined {
  const value = parsed(honest);
  const items = isFields(value) ? value['results'] : value;
  return isItems(items) ? items : undefined;
}

/** So many calls are distorted; fewer polls, because after one that failed the agent waits, and then there are few calls. */
const sometimes =
  (probability: number, fuzzer: Fuzzer): Fuzzer =>
  (call, dice) =>
    dice.chance(call.endpoint === 'runs' ? probability / 2 : probability) ? fuzzer(call, dice) : undefined;

/** Often the most, because a bound that is missing shows only there; else any size up to it. */
const sizeUpTo = (dice: Dice, max: number): number => (dice.chance(0.4) ? max : dice.size(1_000, max));

/** Lists with items of any size. */
export function hugeItems({ bytes = 200e6 } = {}): Fuzzer {
  return (call, dice) => {
    if (!isList(call)) return undefined;
    return heard((honest) => {
      const own = itemsOf(honest) ?? [];
      const size = dice.chance(0.7) ? bytes : dice.size(1_000, bytes);
      return dice.oneOf<() => RawAnswer>([
        () => json([...own, bigged(dice, own[0], size)]),
        () => json([...own, bigged(dice, own[0], size)]),
        () => json([bigged(dice, own[0], size), ...own]),
        () => json([...Array.from({ length: 20 }, () => bigged(dice, own[0], size / 20)), ...own]),
        () => answer(repeated(dice.oneOf(['[', ' ', '{"a":', '"', '[{},']), size)),
      ])();
    });
  };
}

/** Lists with any number of items. */
export function longLists({ items = 1e6 } = {}): Fuzzer {
  return (call, dice) => {
    // Without these the agent does not start.
    const isAtStart = call.endpoint === 'instances' || call.endpoint === 'gpus';
    if (!isList(call) || (isAtStart && dice.chance(0.5))) return undefined;
    return heard((honest) => {
      const own = itemsOf(honest) ?? [];
      const count = sizeUpTo(dice, items);
      return dice.oneOf<() => RawAnswer>([
        () => json(manyItems(count, () => dice.oneOf(['{}', '0', '[]', 'null', '""']), own)),
        () => json(manyItems(count, (n) => `{"uuid":"many-${n}"}`, own)),
        () => json(manyItems(count, likeOwn(call, own[0]), own)),
        () =>
          onPage(
            call,
            manyItems(count / 10, (n) => `{"uuid":"p${pageOf(call)}-${n}"}`, own),
          ),
        () => onPage(call, own, oddValue(dice)),
      ])();
    });
  };
}

/** So many runs that could be taken, and those of the broker, which bid more. */
export function hugeMarket({ runs = 1e6 } = {}): Fuzzer {
  return (call) =>
    call.endpoint === 'runs'
      ? heard((honest) => json(manyItems(runs, likeOwn(call, undefined), itemsOf(honest) ?? [])))
      : undefined;
}

/** Makes valid items of a list, as JSON, none of which is anybody's. */
function likeOwn({ query }: FuzzCall, own: unknown): (n: number) => string {
  const run = { function: 'nothing', num_jobs: 1, bid_price: 0.2, created_at: '27-11-2026 00:00:00' };
  const job = { run: 'none', arguments: '()', status: 2, instance: query.get('instance') };
  const rest = JSON.stringify({ ...run, ...job, ...(isFields(own) && own), run: 'none', uuid: undefined });
  return (n) => `{"uuid":"like-${n}",${rest.slice(1)}`;
}

/** An item with one of its fields so long. */
function bigged(dice: Dice, item: unknown, bytes: number): unknown {
  // No job of a run that is there: a claim of it would be refused, and the run then left alone for long.
  const fields = { name: '', parameters: '', function_name: '', ...(isFields(item) && item), run: 'none' };
  const names = Object.keys(fields);
  const name = dice.chance(0.5) ? 'function_name' : (names[dice.whole(0, names.length - 1)] ?? 'uuid');
  return { ...fields, uuid: `big-${dice.whole(0, 1e9)}`, [name]: longText(bytes) };
}

/** A market whose pages never end, with the broker’s runs on the first. */
export function endlessPages(): Fuzzer {
  return (call) => {
    if (call.endpoint !== 'runs') return undefined;
    const page = pageOf(call);
    return heard((honest) =>
      onPage(
        call,
        manyItems(1, () => `{"uuid":"p${page}"}`, page > 1 ? [] : itemsOf(honest)),
      ),
    );
  };
}

const pageOf = ({ query }: FuzzCall): number => Number(query.get('page') ?? 1);

/** A page with these items, after which there is another one at `next`. */
function onPage(call: FuzzCall, results: unknown, next?: unknown): RawAnswer {
  const query = new URLSearchParams(call.query);
  query.set('page', String(pageOf(call) + 1));
  return json({ count: 1, next: next ?? `${call.path}?${query.toString()}`, previous: null, results });
}

/** Single resources with a field of any size, such as the code of a function. */
export function hugeResources({ bytes = 200e6 } = {}): Fuzzer {
  return sometimes(0.6, (call, dice) => {
    if (isList(call)) return undefined;
    const isLie = isAboutAJob(call) && call.endpoint !== 'job-change';
    // Some runs are left for the agent to work on.
    if (isLie && dice.chance(0.3)) return undefined;
    const isCode = call.endpoint === 'function';
    const size = isCode ? bytes : sizeUpTo(dice, bytes);
    return heard((honest) => {
      const own = parsed(honest);
      if (!isFields(own)) return same(honest);
      // What says whose the job is stays true, and so does what it gets.
      const names = Object.keys(own).filter(
        (name) => !['uuid', 'status', 'instance', 'arguments'].includes(name),
      );
      const name = isCode ? 'code' : (names[dice.whole(0, names.length - 1)] ?? 'more');
      return json({ ...own, [name]: longText(size) });
    }, isLie);
  });
}

/** Values that are as long as a text there may be and are none, and a time or images of its own in each item of a list. */
export function longestValues(): Fuzzer {
  const images = JSON.stringify(Array.from({ length: 5_000 }, (_, n) => `image-${n}`));
  return (call, dice) => {
    if (call.endpoint === 'instances')
      return heard((honest) => json(manyItems(9_000, (n) => instanceWith(n, images), itemsOf(honest) ?? [])));
    if (call.endpoint === 'runs' && dice.chance(0.5))
      return heard((honest) => json(manyItems(8e5, runAtNoTime, itemsOf(honest) ?? [])));
    if (call.endpoint !== 'function' || dice.chance(0.3)) return undefined;
    const code = dice.oneOf([nested(5e6), manyItems(7e5, (n) => `{"k${n}":1}`)]);
    return heard((honest) => {
      const own = parsed(honest);
      return isFields(own) ? json({ ...own, code }) : same(honest);
    }, true);
  };
}

const instanceWith = (n: number, images: string): string =>
  `{"uuid":"i${n}","name":"n","type":1,"gpu":null,"ask_price":1,"max_num_parallel_jobs":1,"downloaded_images":${images}}`;

const runAtNoTime = (n: number): string =>
  `{"uuid":"r${n}","function":"f","num_jobs":1,"bid_price":1,"created_at":"${'z'.repeat(450)}${n}"}`;

/** Errors with bodies of any size. */
export function hugeErrors({ bytes = 200e6 } = {}): Fuzzer {
  return sometimes(0.6, (_, dice) => {
    const status = dice.oneOf([500, 502, 503, 429, 408, 599]);
    const size = sizeUpTo(dice, bytes);
    const [type, body] = dice.oneOf<readonly [string, () => Iterable<string>]>([
      ['text/html', () => repeated('<p>no</p>', size)],
      ['application/json', () => piecesOf({ detail: longText(size) })],
      ['application/json', () => piecesOf(manyItems(size / 10, (n) => `"no ${n}"`))],
      ['text/plain', () => repeated('no\u001b[2J ', size)],
    ]);
    return heard(() => answer(body(), { status, headers: [['Content-Type', type]] }));
  });
}

/** Fields, items and whole answers of other types. */
export function oddTypes(): Fuzzer {
  return sometimes(0.6, (call, dice) => {
    const isLie = isAboutAJob(call);
    if (isLie && dice.chance(0.9)) return undefined;
    return heard((honest) => {
      const own = parsed(honest);
      const items = itemsOf(honest);
      if (dice.chance(0.2)) return json(oddValue(dice));
      if (items !== undefined) {
        const changed = items.map((item) => (dice.chance(0.5) ? oddItem(dice, item) : item));
        const added = Array.from({ length: dice.whole(0, 5) }, () => oddItem(dice, items[0] ?? {}));
        return json([...added, ...changed]);
      }
      return isFields(own) ? json(oddItem(dice, own)) : json(oddValue(dice));
    }, isLie);
  });
}

function oddItem(dice: Dice, item: unknown): unknown {
  if (!isFields(item) || dice.chance(0.1)) return oddJson(dice);
  // A job by another id would be claimed in vain, and its run then left alone for long.
  const names = Object.keys(item).filter((name) => name !== 'uuid' || !('run' in item));
  const name = names[dice.whole(0, names.length - 1)] ?? 'uuid';
  if (dice.chance(0.1)) return Object.fromEntries(Object.entries(item).filter(([key]) => key !== name));
  return { ...item, [name]: oddJson(dice) };
}

/** Answers of before, lists in another order, and parts of lists. */
export function oldAnswers(): Fuzzer {
  const said = new Map<string, Honest[]>();
  return (call, dice) => {
    const key = `${call.method} ${call.path}?${call.query.toString()}`;
    const before = said.get(key) ?? [];
    said.set(key, before);
    const wanted = dice.chance(0.6);
    const isLie = wanted && isAboutAJob(call);
    const old = before[dice.whole(0, before.length - 1)];
    if (isLie && dice.chance(0.9)) return undefined;
    return heard((honest) => {
      if (honest.text.length < 1e6 && before.length < 20) before.push(honest);
      const items = itemsOf(honest);
      if (call.endpoint === 'held-jobs' && items !== undefined)
        return json(items.filter(() => dice.chance(0.5)));
      if (!wanted) return same(honest);
      if (old !== undefined && dice.chance(0.5)) return same(old);
      if (items === undefined) return same(old ?? honest);
      const shuffled = items.map((item) => ({ item, at: dice.next() })).sort((a, b) => a.at - b.at);
      const some = shuffled.slice(0, dice.whole(0, shuffled.length)).map(({ item }) => item);
      return json(dice.chance(0.5) ? some : shuffled.map(({ item }) => item));
    }, isLie);
  };
}

/** Items twice, keys twice, the same id for other things, and things in lists that are not theirs. */
export function duplicates(): Fuzzer {
  const seen: unknown[] = [];
  return sometimes(0.7, (call, dice) => {
    if (!isList(call)) return undefined;
    // A broker may ignore the filters.
    if (call.query.has('status') && dice.chance(0.7)) return { passOn: true, path: call.path, answer: same };
    return heard((honest) => {
      const items = itemsOf(honest) ?? [];
      for (const item of items) if (seen.length < 1_000) seen.push(item);
      const foreign = Array.from({ length: dice.whole(0, 10) }, () => seen[dice.whole(0, seen.length - 1)]);
      const twice = items.flatMap((item) => Array.from({ length: dice.whole(1, 50) }, () => item));
      const keys = items.map((item) => (isFields(item) ? twiceEachKey(item, oddJson(dice)) : item));
      const renamed = items.map((item) =>
        isFields(item) ? { ...item, parameters: '((1,),)', bid_price: dice.between(0, 9) } : item,
      );
      return json(
        dice.oneOf<readonly unknown[]>([twice, keys, [...foreign, ...items], [...renamed, ...items]]),
      );
    });
  });
}

/** Answers that come late, in drops, by half, or never. */
export function delays(): Fuzzer {
  return sometimes(0.6, (_, dice) => {
    const how = dice.oneOf<Partial<RawAnswer>>([
      { headersAfterMs: dice.size(10, 3_000) },
      { byteEveryMs: dice.whole(1, 20) },
      { end: 'cut' },
      { end: 'hang' },
      { end: 'hang', framing: { length: '1000000' } },
      { headersAfterMs: 60_000 },
    ]);
    return heard((honest) => same(honest, how));
  });
}

const TYPES: readonly [string, ...string[]] = [
  'application/json',
  'text/html',
  'text/plain',
  'application/octet-stream',
  'application/json; charset=utf-16',
  'multipart/form-data',
  '',
];
const FINAL: readonly number[] = [403, 404, 409, 410];
const REFUSES_CONTENT: readonly number[] = [400, 413, 422];

/** Every status with every type of content, redirects, and answers before the answer. `elsewhere`: another origin. */
export function statuses({ elsewhere = 'http://127.0.0.1:9' } = {}): Fuzzer {
  return sometimes(0.6, (call, dice) => {
    const status = dice.chance(0.3) ? dice.oneOf([301, 302, 303, 307, 308, 304]) : dice.whole(200, 599);
    // A token that is refused is not sent again for a minute.
    if (status === 401) return undefined;
    const isFinal = FINAL.includes(status) || REFUSES_CONTENT.includes(status);
    // A success that is none of the broker's counts as its word.
    const isLie = isAboutAJob(call) && isFinal;
    if (isLie && dice.chance(0.8)) return undefined;
    const location = dice.oneOf([
      call.path,
      `${call.path}?again=1`,
      `${elsewhere}${call.path}`,
      '//',
      '',
      'x:y',
    ]);
    const headers: [string, string][] = [['Content-Type', dice.oneOf(TYPES)]];
    if (status >= 300 && status < 400) headers.push(['Location', location]);
    const early = dice.chance(0.2) ? dice.oneOf([100, 102, 103, 199]) : undefined;
    return heard(
      (honest) =>
        same(honest, {
          status,
          headers,
          ...(early !== undefined && {
            before: `HTTP/1.1 ${early} Early\r\nLink: </x>\r\n\r\n`.repeat(dice.whole(1, 50)),
          }),
          ...(dice.chance(0.3) && {
            after: `X-Trailer: ${'y'.repeat(dice.size(1, 100_000))}\r\nETag: "t"\r\n`,
          }),
        }),
      isLie,
    );
  });
}

/** Headers that are huge, twice there, wrong or lie about the body. */
const oddHeaders = sometimes(0.6, (_, dice) => {
  const many = Array.from({ length: dice.size(1, 5_000) }, (_, n) => [`X-${n}`, 'y'] as const);
  const more = dice.oneOf<Partial<RawAnswer>>([
    { headers: [['X-Huge', 'y'.repeat(dice.size(100, 1_000_000))]] },
    { headers: many },
    { headers: [['ETag', 'z'.repeat(dice.size(100, 15_000))]] },
    {
      headers: [
        ['ETag', '"a"'],
        ['ETag', '"b"'],
        ['ETag', '\u0001'],
      ],
    },
    { headers: dice.oneOf(RETRY_AFTER).map((value) => ['Retry-After', value] as const) },
    {
      headers: [
        ['Preference-Applied', 'wait=25'],
        ['ETag', '"always"'],
      ],
    },
    { headers: [['Content-Encoding', dice.oneOf(['gzip', 'br', 'deflate', 'odd'])]] },
    {
      headers: [
        ['Content-Length', '5'],
        ['Content-Length', '6'],
      ],
    },
    { headers: [['Set-Cookie', 'a=b; '.repeat(1_000)]] },
    { framing: { length: dice.oneOf(['0', '1', '-1', '1e9', '99999999999999999999', 'NaN', '']) } },
    { framing: 'broken' },
    { framing: 'close' },
    { status: dice.oneOf(['', '0', '99', '1000', '-1', 'abc']) },
    { before: 'HTTP/9.9 200 OK\r\n\r\n' },
    { before: `garbage ${'\u0000'.repeat(1_000)}` },
    { after: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]' },
  ]);
  return heard((honest) => same(honest, more));
});

/** Odd headers, and polls that are said to be held and are not. */
export function headers(): Fuzzer {
  return (call, dice) => {
    const held = ['Preference-Applied', 'wait=25'] as const;
    const unheld = heard((honest) => same(honest, { headers: [['Content-Type', 'application/json'], held] }));
    const isPoll = call.endpoint === 'runs';
    // After a poll that failed the agent waits, and what is said to be held is to be polled again at once.
    if (isPoll && dice.chance(0.8)) return unheld;
    return oddHeaders(call, dice) ?? (isPoll ? unheld : undefined);
  };
}

const RETRY_AFTER: readonly [readonly string[], ...(readonly string[])[]] = [
  ['-1'],
  ['1e30'],
  ['NaN'],
  ['soon'],
  ['1', '2'],
  ['Thu, 01 Jan 1970 00:00:00 GMT'],
  ['0'],
  ['0.5'],
];

/** Any of these for each call. */
export function anyOf(...fuzzers: readonly [Fuzzer, ...Fuzzer[]]): Fuzzer {
  return (call, dice) => dice.oneOf(fuzzers)(call, dice);
}

/** Reports that fail in every way that is no answer of the broker's, whether it has heard them or not. */
export function lostReports(): Fuzzer {
  return sometimes(0.95, (call, dice) => {
    if (call.endpoint !== 'job-change' || /"status":[12]\b/.test(call.body.toString())) return undefined;
    const status = dice.oneOf([500, 502, 503, 408, 429, 403, 403, 403, 404, 410, 200]);
    const html = repeated('<p>no</p>', dice.size(10, 1_000_000));
    const page = answer(html, { status, headers: [['Content-Type', 'text/html']] });
    const how = dice.oneOf<RawAnswer>([
      page,
      page,
      { ...page, end: 'cut' },
      { ...page, end: 'hang' },
      answer([], { status: 503 }),
      { ...page, end: 'hang' },
    ]);
    return { passOn: dice.chance(0.3), answer: () => how };
  });
}

/** Calls that are never answered, and what another fuzzer does. */
export function hangs(others: Fuzzer, onHang: () => void): Fuzzer {
  return (call, dice) => {
    if (dice.chance(0.5)) return others(call, dice);
    onHang();
    return heard((honest) => same(honest, { end: 'hang' }));
  };
}
