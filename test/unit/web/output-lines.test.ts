import { describe, expect, test } from 'vitest';
import { append, MAX_LINE, MAX_LINES, NOTHING_SHOWN, visibleOutput } from '../../../src/web/output-lines.ts';

type Pieces = readonly (readonly ['stdout' | 'stderr', string])[];

function after(pieces: Pieces) {
  return pieces.reduce((shown, [stream, text]) => append(shown, stream, text), NOTHING_SHOWN);
}

function texts(pieces: Pieces): readonly string[] {
  return after(pieces).lines.map(({ stream, text }) => `${stream}: ${text}`);
}

describe('lines of output', () => {
  test('go on where their stream has printed last', () => {
    const pieces: Pieces = [
      ['stdout', 'one\ntw'],
      ['stderr', 'oh\n'],
      ['stdout', 'o\nthree'],
    ];
    expect(texts(pieces)).toEqual(['stdout: one\n', 'stdout: two\n', 'stderr: oh\n', 'stdout: three']);
  });

  test('end at a carriage return, and at one with a line feed in the next piece only once', () => {
    expect(texts([['stderr', '1 %\r2 %\r']])).toEqual(['stderr: 1 %\r', 'stderr: 2 %\r']);
    const pieces: Pieces = [
      ['stdout', 'a\r'],
      ['stdout', '\nb'],
    ];
    expect(texts(pieces)).toEqual(['stdout: a\r\n', 'stdout: b']);
  });

  test('are broken where they are very long, without an empty one at the end', () => {
    const { lines } = after([['stdout', `${'z'.repeat(2 * MAX_LINE)}\nnext\n`]]);
    expect(lines.map(({ text }) => text.length)).toEqual([MAX_LINE, MAX_LINE + 1, 5]);
  });

  test('are at most so many, and the others are counted', () => {
    const all = Array.from({ length: MAX_LINES + 7 }, (_none, index) => `${index}\n`).join('');
    const { dropped, lines } = after([['stdout', all]]);
    expect(dropped).toBe(7);
    expect(lines.length).toBe(MAX_LINES);
    expect(lines[0]?.text).toBe('7\n');
  });

  test('have each an id of its own, also after some were dropped', () => {
    const many = 'x\n'.repeat(MAX_LINES);
    const { lines } = after([
      ['stdout', many],
      ['stdout', many],
    ]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(MAX_LINES);
  });
});

test('control characters and marks that turn the writing are visible, line breaks and tabs are kept', () => {
  expect(visibleOutput('a\tb\r\n')).toBe('a\tb\n');
  expect(visibleOutput('\x1b[31mred\x07\r')).toBe('\\u{1b}[31mred\\u{7}\\r');
  expect(visibleOutput('x\u202eexe.gnp\u200b')).toBe('x\\u{202e}exe.gnp\\u{200b}');
});
