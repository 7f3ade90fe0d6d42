import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fields, ProjectedItem } from '../../../src/broker/json-fields.ts';
import { type AnswerShape, JsonProjector } from '../../../src/broker/json-projector.ts';

const FIELDS: Fields = {
  uuid: { keep: 100, refuse: 100 },
  name: { keep: 20 },
  'a"b\\c': { keep: 1_000 },
  status: { keep: 1_000 },
};

type Read = {
  readonly items: readonly ProjectedItem[];
  readonly shape: AnswerShape;
  /** The most that was held of an item, in bytes. */
  readonly held: number;
};

/** Reads a text in pieces of these lengths, over and over. */
function read(
  text: string | Uint8Array,
  shape: 'list' | 'one' = 'list',
  { fields = FIELDS, lengths = [7], max = Infinity } = {},
): Read {
  const bytes = Buffer.from(text);
  const items: ProjectedItem[] = [];
  const onItem = (item: ProjectedItem): boolean => items.push(item) < max;
  const projector = new JsonProjector({ shape, fields, onItem });
  let held = 0;
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const to = at + (lengths[turn % lengths.length] ?? 1);
    if (!projector.write(bytes.subarray(at, to))) break;
    held = Math.max(held, projector.heldBytes);
    at = to;
  }
  return { items, shape: projector.end(), held };
}

const jsons = (text: string): readonly unknown[] =>
  read(text).items.map((item) => (item.kind === 'item' ? item.json : item));

function arrayOf(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw new Error('not an array');
  return json;
}

/** The wanted fields of an item, as JSON.parse reads it, without what is in objects and arrays. */
function wanted(item: unknown, fields: Fields): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null;
  const known = Object.entries(item).filter(([name]) => Object.hasOwn(fields, name));
  return Object.fromEntries(known.map(([name, value]) => [name, emptied(value)]));
}

function emptied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [] : {};
}

describe('any JSON, cut into any pieces,', () => {
  const LARGE: Fields = Object.fromEntries(
    Object.keys(FIELDS).map((name) => [name, { keep: 1_000_000, refuse: 1_000_000 }]),
  );
  const key = fc.oneof(fc.constantFrom(...Object.keys(FIELDS), 'results', 'next', ''), fc.string());
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(null, true, false, 0, '', '\\', '"', '}', ']', '\u0000', '\ud800'),
      fc.array(tie('any')),
      fc.dictionary(key, tie('any')),
    ),
  })).any;
  const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
  const spaces = fc.constantFrom(undefined, 1, '\t', '\r\n');

  test('has the items and fields that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(value), lengths, spaces, fc.boolean(), (list, pieces, space, isPaged) => {
        const text = JSON.stringify(isPaged ? { next: 'x', results: list, more: list } : list, null, space);
        const { items, shape } = read(text, 'list', { fields: LARGE, lengths: pieces });
        const parsed = arrayOf(JSON.parse(JSON.stringify(list)));
        expect(shape).toEqual({ kind: 'whole', next: isPaged ? 'x' : undefined });
        expect(items.map((item) => (item.kind === 'item' ? item.json : item))).toEqual(
          parsed.map((item) => wanted(item, LARGE)),
        );
      }),
    );
  });

  test('is the same page, whatever its keys are', () => {
    const name = fc.oneof(
      fc.constantFrom('results', String.raw`result\u0073`, String.raw`n\u0065xt`, 'next', 'a'),
      fc.integer({ min: 250, max: 262 }).map((length) => 'results'.padEnd(length, 's')),
    );
    const values = fc.constantFrom<unknown[]>([], [{ uuid: 'a' }], [{ uuid: 'b' }, 1], 'x', null, {});
    fc.assert(
      fc.property(fc.array(fc.tuple(name, values)), lengths, (pairs, pieces) => {
        const text = `{${pairs.map(([key, of]) => `"${key}":${JSON.stringify(of)}`).join(',')}}`;
        const { items, shape } = read(text, 'list', { fields: LARGE, lengths: pieces });
        const whole = read(text, 'list', { fields: LARGE, lengths: [text.length] });
        expect({ items, shape }).toEqual({ items: whole.items, shape: whole.shape });
        if (shape.kind !== 'whole') return;
        const page: unknown = JSON.parse(text);
        const list = arrayOf(typeof page === 'object' && page !== null && Reflect.get(page, 'results'));
        expect(items.map((item) => item.kind === 'item' && item.json)).toEqual(
          list.map((item) => wanted(item, LARGE)),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('is one item where one is asked for', () => {
    fc.assert(
      fc.property(value, lengths, spaces, (item, pieces, space) => {
        const text = JSON.stringify(item, null, space);
        const { items, shape } = read(text, 'one', { fields: LARGE, lengths: pieces });
        expect(shape).toEqual({ kind: 'whole', next: undefined });
        expect(items).toMatchObject([{ kind: 'item', json: wanted(JSON.parse(text), LARGE) }]);
      }),
    );
  });

  test('has the last value of a field that is repeated, and never holds more than the limits of its fields', () => {
    const fields: Fields = { uuid: { keep: 12, refuse: 12 }, name: { keep: 8 }, status: { keep: 4 } };
    const names = fc.constantFrom<string[]>('uuid', 'name', 'status', 'other');
    const values = fc.constantFrom(1, '', 'ab', '0123456789', [['x'.repeat(50)]], { a: 'y'.repeat(50) });
    fc.assert(
      fc.property(fc.array(fc.tuple(names, values)), lengths, (pairs, pieces) => {
        const text = `{${pairs.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',')}}`;
        const parsed = new Map(pairs);
        const { held, items } = read(text, 'one', { fields, lengths: pieces });
        const isLong = (name: string): boolean =>
          JSON.stringify(emptied(parsed.get(name)) ?? '').length > (fields[name]?.keep ?? 0);
        const omitted = [...parsed.keys()].filter((name) => name !== 'other' && isLong(name));
        const kept = [...parsed].filter(([name]) => !isLong(name));
        const json = Object.fromEntries(kept.map(([name, value]) => [name, emptied(value)]));
        expect(items).toMatchObject([{ kind: 'item', json: wanted(json, fields) }]);
        expect(items.map((item) => item.kind === 'item' && [...item.omitted.keys()].sort())).toEqual([
          omitted.sort(),
        ]);
        expect(held).toBeLessThanOrEqual('{"uuid":,"name":,"status":,'.length + 12 + 8 + 4);
      }),
      { numRuns: 500 },
    );
  });

  test('is not JSON where its end is missing', () => {
    fc.assert(
      fc.property(fc.array(value), lengths, fc.nat(), (list, pieces, cut) => {
        const bytes = Buffer.from(JSON.stringify(list));
        const { shape } = read(bytes.subarray(0, cut % bytes.length), 'list', {
          fields: LARGE,
          lengths: pieces,
        });
        expect(shape).toEqual({ kind: 'not-json' });
      }),
    );
  });

  test('is JSON for it too, and nothing makes it throw', () => {
    const unit = fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', '1', 'e', 'u', ' ');
    fc.assert(
      fc.property(fc.string({ unit }), lengths, fc.constantFrom('list', 'one'), (text, pieces, shape) => {
        const { kind } = read(text, shape, { lengths: pieces }).shape;
        expect(isJson(text) && kind === 'not-json').toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('what is wrong with one item', () => {
  test.each([
    ['a long value of a field that may be left out', `{"uuid":"u","name":"${'x'.repeat(30)}"}`, 32],
    ['the same in many pieces', `{"uuid":"u","name":"${'x'.repeat(30_000)}"}`, 30_002],
    ['the same twice', `{"name":"${'x'.repeat(40)}","uuid":"u","name":"${'x'.repeat(30)}"}`, 32],
    ['the same after a short one', `{"name":"x","uuid":"u","name":"${'x'.repeat(30)}"}`, 32],
  ])('%s leaves the field out', (_, text, bytes) => {
    const omitted = new Map([['name', bytes]]);
    expect(read(`[${text}]`).items).toMatchObject([{ kind: 'item', json: { uuid: 'u' }, omitted }]);
  });

  const LONG = `"uuid":"${'x'.repeat(200)}"`;
  test.each([
    ['a long value of a field that it needs', `{${LONG}}`, undefined, 'uuid: longer than 100 bytes'],
    ['the same beside a good one', `{"uuid":"u",${LONG}}`, undefined, 'uuid: longer than 100 bytes'],
    ['a number of Python', '{"uuid":"u","status":NaN}', 'u', 'not JSON'],
    ['a control character', '{"status":"\n","uuid":"u"}', 'u', 'not JSON'],
    [
      'a number of 600 digits',
      `{"uuid":"u","status":${'9'.repeat(600)}}`,
      'u',
      'status: longer than 512 bytes',
    ],
  ])('%s makes the item invalid, and no other', (_, text, uuid, reason) => {
    const { items, shape } = read(`[{"uuid":"a"},${text},{"uuid":"b"}]`);
    expect(items).toMatchObject([
      { json: { uuid: 'a' } },
      { kind: 'refused', uuid, reason },
      { json: { uuid: 'b' } },
    ]);
    expect(shape.kind).toBe('whole');
  });
});

describe('the text of an item', () => {
  test.each<[string, string, unknown]>([
    ['a name with escapes is the name', String.raw`{"\u0075u\u0069d":"u"}`, { uuid: 'u' }],
    ['the last of equal names counts', '{"uuid":"a","uuid":"b"}', { uuid: 'b' }],
    ['a short value after a long one counts', `{"name":"${'x'.repeat(30)}","name":"a"}`, { name: 'a' }],
    [
      'a field may be there a thousand times',
      `{"uuid":"u"${',"status":"12345","uuid":"v"'.repeat(1_000)}}`,
      { uuid: 'v', status: '12345' },
    ],
    ['a name that is longer than any does not match', `{"${'uuid'.repeat(1_000)}":1}`, {}],
    ['fields of fields do not count', '{"other":{"uuid":"x"},"status":{"uuid":[1]}}', { status: {} }],
    ['a number may be too large', '{"status":1e999}', { status: Infinity }],
    ['a number may have 400 digits', `{"status":${'9'.repeat(400)}}`, { status: Infinity }],
    ['a NUL may be in a text', String.raw`{"status":"\u0000"}`, { status: '\0' }],
    ['half a surrogate pair may be in a text', String.raw`{"status":"\ud800"}`, { status: '\ud800' }],
    [
      'what has 100,000 levels is skipped',
      `{"x":${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)},"uuid":"u"}`,
      { uuid: 'u' },
    ],
  ])('%s', (_, text, json) => {
    expect(jsons(`[${text}]`)).toEqual([json]);
  });

  test('may have bytes that are no UTF-8, which are replaced', () => {
    const bytes = Buffer.concat([Buffer.from('[{"uuid":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}]')]);
    expect(read(bytes).items).toMatchObject([{ json: { uuid: '\ufffd\ufffd' } }]);
  });
});

describe('the answer as a whole', () => {
  test.each<[string, AnswerShape['kind']]>([
    ['\ufeff[]', 'whole'],
    [' [ ] \n', 'whole'],
    ['{"results":[],"next":null}', 'whole'],
    ['{"next":5,"results":[]}', 'not-a-list'],
    ['{"results":{}}', 'not-a-list'],
    ['{"results":[],"results":[]}', 'not-a-list'],
    ['{"results":[],"results":5}', 'not-a-list'],
    ['{"results":5,"results":[]}', 'whole'],
    [String.raw`{"result\u0073":[]}`, 'whole'],
    ['{}', 'not-a-list'],
    ['"x"', 'not-a-list'],
    ['null', 'not-a-list'],
    ['1e5', 'not-a-list'],
    ['nonsense', 'not-json'],
    ['1e', 'not-json'],
    ['', 'not-json'],
    ['<html>', 'not-json'],
    ['[] []', 'not-json'],
    ['[1 2]', 'not-json'],
    ['[1,]', 'not-json'],
    ['[,]', 'not-json'],
    ['{"a" 1}', 'not-json'],
    ['{a:1}', 'not-json'],
    ['[}', 'not-json'],
    ['[[]', 'not-json'],
    [']', 'not-json'],
    ['[{"a":[}]', 'not-json'],
  ])('%j is %s', (text, kind) => {
    expect(read(text).shape.kind).toBe(kind);
  });

  test.each(['[', '{"a":', '[{"a":'])('is not JSON where it opens %j a million times', (open) => {
    expect(read(open.repeat(1_000_000), 'list', { lengths: [65_536] }).shape.kind).toBe('not-json');
  });

  test('is no list where the address of its next page is too long', () => {
    const text = `{"next":"${'x'.repeat(9_000)}","results":[]}`;
    expect(read(text).shape.kind).toBe('not-a-list');
  });

  test('is not read on once enough items have come', () => {
    expect(read('[{},{},{},nonsense', 'list', { max: 2 }).items).toHaveLength(2);
  });
});
