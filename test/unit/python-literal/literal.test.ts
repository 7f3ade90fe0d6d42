import { describe, expect, test } from 'vitest';
import { parsePythonLiteral, splitParameters } from '../../../src/python-literal/literal.ts';
import { LiteralError } from '../../../src/python-literal/literal-error.ts';

const MIB = 1024 * 1024;

/** Where the text was rejected, as `line:column`. */
function rejectedAt(run: () => unknown): string | undefined {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof LiteralError)
      return /line (\d+), column (\d+)$/.exec(thrown.message)?.slice(1).join(':');
    throw thrown;
  }
  return undefined;
}

describe('parsePythonLiteral', () => {
  test('parses a tuple', () => {
    expect(parsePythonLiteral('(512, 0.2, "a")')).toEqual({
      kind: 'tuple',
      items: [
        { kind: 'int', value: 512n },
        { kind: 'float', value: 0.2 },
        { kind: 'str', value: 'a' },
      ],
    });
  });

  test.each([
    ['(1,\n  x)', '2:3'],
    ['[1', '1:3'],
    ["'\\N{BULLET}'", '1:2'],
    ["(1,\n'ab\\x1')", '2:4'],
    ['{[]: 1}', '1:2'],
    ['os.system("x")', '1:1'],
    ['', '1:1'],
  ])('rejects %j at %s', (text, place) => {
    expect(rejectedAt(() => parsePythonLiteral(text))).toBe(place);
  });

  test.each(['(', '[', '{', '({', '-(', '{1:'])('rejects 100,000 times %j', (open) => {
    expect(rejectedAt(() => parsePythonLiteral(open.repeat(100_000)))).toBeDefined();
  });

  test.each([
    ['numbers', '1, '.repeat(MIB / 3), '[', ']'],
    ['one string', 'a'.repeat(MIB), "'", "'"],
    ['one string of escapes', '\\n'.repeat(MIB / 2), "b'", "'"],
    ['strings in a row', "'' ".repeat(MIB / 3), '', ''],
    ['one float', '9'.repeat(MIB), '.', ''],
    ['one integer', 'f'.repeat(MIB), '0x', ''],
    ['underscores', '_1'.repeat(MIB / 2), '0b1', ''],
    ['newlines', '\r\n'.repeat(MIB / 2), '(', ')'],
    ['keys', Array.from({ length: MIB / 10 }, (_, index) => `${index}:0`).join(), '{', '}'],
    ['a tuple as a key', '1,'.repeat(MIB / 2), '{(', ')}'],
  ])('reads 1 MiB of %s in linear time', (_, body, open, close) => {
    const before = process.cpuUsage();
    parsePythonLiteral(open + body + close);
    // Quadratic time would take minutes. What else the machine does is not counted.
    expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
  });
});

describe('splitParameters', () => {
  test.each([
    ['((512, 0.2, 10, 2),)', ['(512, 0.2, 10, 2)']],
    ['((1,), (2,))', ['(1,)', '(2,)']],
    ['[[1, 2], ( 3, # three\n 4 )]', ['[1, 2]', '( 3, # three\n 4 )']],
    ['(1,), (2,)', ['(1,)', '(2,)']],
    ['(((1, (2,)), ()),)', ['((1, (2,)), ())']],
    ['((((1,), (2,))))', ['(1,)', '(2,)']],
    ['(((1,)), [(2)],)', ['((1,))', '[(2)]']],
    ['(("a,(b", {"x": [1, (2,)]}),)\n', ['("a,(b", {"x": [1, (2,)]})']],
    ['((1,\r\n2),)', ['(1,\n2)']],
    ['()', []],
    ['[]', []],
  ])('splits %j', (text, items) => {
    expect(splitParameters(text)).toEqual(items);
  });

  test.each(['((1, 2))', '(1, 2)', '5', '{}', '"((1,),)"', '((1,), 2)', '((1,)', ''])(
    'rejects %j',
    (text) => {
      expect(rejectedAt(() => splitParameters(text))).toBeDefined();
    },
  );

  test('rejects single parentheses at the first item', () => {
    expect(rejectedAt(() => splitParameters('((1, 2))'))).toBe('1:3');
  });
});
