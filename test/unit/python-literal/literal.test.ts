import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { parsePythonLiteral, splitParameters } from '../../../src/python-literal/literal.ts';

const MIB = 1024 * 1024;

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.code === 'FUNCTION_INVALID') return thrown.message;
    throw thrown;
  }
  return 'taken';
}

describe('parsePythonLiteral', () => {
  test('reads the platform’s own example', () => {
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
    ['(1,\n  x)', 'no Python literal: unexpected ‘x’ at line 2, column 3'],
    ['[1', 'no Python literal: ‘[’ was never closed at line 1, column 3'],
    ["'\\N{BULLET}'", 'not supported: write \\u and the number instead at line 1, column 2'],
    ["(1,\n'ab\\x1')", 'an escape needs 2 hexadecimal digits at line 2, column 4'],
    ['{[]: 1}', 'a list cannot be hashed at line 1, column 2'],
    ['os.system("x")', 'unexpected ‘os’ at line 1, column 1'],
    ['', 'unexpected end of the text at line 1, column 1'],
  ])('says what is wrong with %j and where', (text, message) => {
    expect(refusal(() => parsePythonLiteral(text))).toContain(message);
  });

  test.each(['(', '[', '{', '({', '-(', '{1:'])('refuses 100,000 times %j cleanly', (open) => {
    expect(refusal(() => parsePythonLiteral(open.repeat(100_000)))).not.toBe('taken');
  });

  test.each([
    ['numbers', '1, '.repeat((5 * MIB) / 3), '[', ']'],
    ['one string', 'a'.repeat(5 * MIB), "'", "'"],
    ['one string of escapes', '\\n'.repeat((5 * MIB) / 2), "b'", "'"],
    ['strings in a row', "'' ".repeat((5 * MIB) / 3), '', ''],
    ['one float', '9'.repeat(5 * MIB), '.', ''],
    ['one integer', 'f'.repeat(5 * MIB), '0x', ''],
    ['underscores', '_1'.repeat((5 * MIB) / 2), '0b1', ''],
    ['newlines', '\r\n'.repeat((5 * MIB) / 2), '(', ')'],
    ['keys', Array.from({ length: MIB / 2 }, (_, index) => `${index}:0`).join(), '{', '}'],
    ['a tuple as a key', '1,'.repeat((5 * MIB) / 2), '{(', ')}'],
  ])('reads 5 MiB of %s in linear time', (_, body, open, close) => {
    const started = performance.now();
    parsePythonLiteral(open + body + close);
    // Square time would take minutes; a slow machine takes some seconds.
    expect(performance.now() - started).toBeLessThan(10_000);
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
  ])('%j', (text, items) => {
    expect(splitParameters(text)).toEqual(items);
  });

  test.each(['((1, 2))', '(1, 2)', '5', '{}', '"((1,),)"', '((1,), 2)', '((1,)', ''])(
    'refuses %j',
    (text) => {
      expect(refusal(() => splitParameters(text))).toContain('no Python literal');
    },
  );

  test('says what single parentheses lack', () => {
    expect(refusal(() => splitParameters('((1, 2))'))).toContain('here is no tuple at line 1, column 3');
  });
});
