import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePythonLiteral } from '../../../src/python-literal/literal.ts';
import { LiteralError } from '../../../src/python-literal/literal-error.ts';
import type { PythonValue } from '../../../src/python-literal/value.ts';
import { modernPython } from '../../support/function/interpreters.ts';
import { damagedText, literalText, ODD_TEXTS } from '../../support/function/literal-texts.ts';

const python = modernPython();
const skip =
  python === undefined ? ' (skipped: no CPython 3.10 or later on this machine)' : ` (${python.name})`;

describe.skipIf(python === undefined)(`parses as ast.literal_eval does${skip}`, () => {
  test.each([
    ['unusual texts', () => ODD_TEXTS],
    ['generated literals', () => sample(literalText, 3000)],
    ['generated literals with one error', () => sample(damagedText, 3000)],
  ])('for %s', (_, texts) => {
    const { accepted, differences, rejected } = compare(texts());
    expect(differences).toEqual([]);
    expect(Math.min(accepted, rejected)).toBeGreaterThan(50);
  });
});

function sample(texts: fc.Arbitrary<string>, count: number): readonly string[] {
  // Characters by name are not supported.
  return fc.sample(texts, count).filter((text) => !text.includes('\\N'));
}

type Comparison = {
  readonly differences: readonly unknown[];
  readonly accepted: number;
  readonly rejected: number;
};

function compare(texts: readonly string[]): Comparison {
  const answer = spawnSync(
    python?.path ?? '',
    [join(import.meta.dirname, '../../support/function/literal-eval.py')],
    { input: JSON.stringify(texts), encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const expected: unknown = JSON.parse(answer.stdout);
  if (!Array.isArray(expected)) throw new TypeError(`CPython did not answer with a list: ${answer.stderr}`);
  const differences = texts.flatMap((text, index) => {
    const [ours, cpython] = [read(text), setsSorted(expected[index])].map((value) => JSON.stringify(value));
    return ours === cpython ? [] : [{ text, ours, cpython }];
  });
  const rejected = expected.filter((value) => value === null).length;
  return { accepted: expected.length - rejected, differences, rejected };
}

function read(text: string): unknown {
  try {
    return setsSorted(tagged(parsePythonLiteral(text)));
  } catch (thrown) {
    if (thrown instanceof LiteralError) return null;
    throw thrown;
  }
}

function tagged(value: PythonValue): unknown {
  switch (value.kind) {
    case 'none':
    case 'ellipsis':
      return [value.kind];
    case 'bool':
    case 'str':
      return [value.kind, value.value];
    case 'int':
      return ['int', value.value.toString(16)];
    case 'float':
      return ['float', bits(value.value)];
    case 'complex':
      return ['complex', bits(value.real), bits(value.imag)];
    case 'bytes':
      return ['bytes', Buffer.from(value.value).toString('hex')];
    case 'dict':
      return ['dict', value.entries.map(([key, item]) => [tagged(key), tagged(item)])];
    default:
      return [value.kind, value.items.map(tagged)];
  }
}

function bits(number: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(number);
  return bytes.toString('hex');
}

/** Sorts the items of sets, whose order has no meaning. */
function setsSorted(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.map(setsSorted);
  if (items[0] !== 'set' || !Array.isArray(items[1])) return items;
  return ['set', items[1].map((item) => JSON.stringify(item)).sort()];
}
