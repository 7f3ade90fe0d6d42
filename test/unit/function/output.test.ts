import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Output } from '../../../src/domain/ports/job-files.ts';
import { FrameScanner } from '../../../src/function/frames.ts';
import { JobOutput, OUTPUT_LIMIT, RESULT_LIMIT } from '../../../src/function/output.ts';

const NONCE = '0123456789abcdef0123456789abcdef';
const MIB = 1024 * 1024;

/** A result in records, as the loaders write it. */
function frame(result: string | Uint8Array, nonce = NONCE, part = 3000): string {
  const bytes = Buffer.from(result);
  const parts = Array.from({ length: Math.ceil(bytes.length / part) }, (_, index) =>
    bytes.subarray(index * part, (index + 1) * part).toString('base64'),
  );
  const records = [...parts.map((body, index) => `${index}:${body}`), `end:${parts.length}`];
  return records.map((record) => `\x1e${nonce}:${record}\x1e\n`).join('');
}

function without(name: string, records: string): string {
  return records
    .split(/(?<=\n)/)
    .filter((record) => !record.includes(`:${name}:`))
    .join('');
}

function collect(...chunks: readonly (string | Uint8Array)[]): Output {
  const output = new JobOutput(NONCE);
  for (const chunk of chunks) output.write('stdout', Buffer.from(chunk));
  return output.end();
}

describe('a result that', () => {
  test.each<[string, string, string, string | undefined]>([
    ['is alone', frame('42'), '', '42'],
    ['is empty', frame(''), '', ''],
    ['follows an unfinished line', `x${frame('42')}`, 'x', '42'],
    ['is between lines', `a\n${frame('42')}b\n`, 'a\nb\n', '42'],
    [
      'has output between its records',
      frame('abcdef', NONCE, 3).replace('\x1e\n', '\x1e\nbetween\n'),
      'between\n',
      'abcdef',
    ],
    ['lacks its last newline', frame('42').slice(0, -1), '', '42'],
    ['is sent twice counts last', frame('one') + frame('two'), '', 'two'],
    [
      'has another nonce is output',
      frame('forged', 'f'.repeat(32)),
      frame('forged', 'f'.repeat(32)),
      undefined,
    ],
    ['lacks its end', without('end', frame('42')), '', undefined],
    ['lacks a part', without('0', frame('abcdef', NONCE, 3)), '', undefined],
    [
      'is cut within a record',
      frame('42').slice(0, -4),
      frame('42').slice(frame('42').indexOf('\x1e\n') + 2, -4),
      undefined,
    ],
    ['is complete before an incomplete one counts', frame('one') + without('end', frame('two')), '', 'one'],
    ['has an unknown record', `\x1e${NONCE}:what:x\x1e\n${frame('42')}`, `\x1e${NONCE}:what:x\x1e\n`, '42'],
    [
      'has an opening in an opening',
      `\x1e${NONCE}:\x1e${NONCE}:0${frame('42')}`,
      `\x1e${NONCE}:\x1e${NONCE}:0`,
      '42',
    ],
    [
      'has an opening without an end',
      `\x1e${NONCE}:${'a'.repeat(5000)}\n${frame('42')}`,
      `\x1e${NONCE}:${'a'.repeat(5000)}\n`,
      '42',
    ],
    ['lacks all newlines', `a${frame('abcdef', NONCE, 3).replaceAll('\n', '')}b`, 'ab', 'abcdef'],
    ['ends within an opening', `a\x1e${NONCE.slice(0, 9)}`, `a\x1e${NONCE.slice(0, 9)}`, undefined],
  ])('%s', (_, text, stdout, result) => {
    expect(collect(text)).toEqual({ stdout, stderr: '', result });
    // The worst case is a byte at a time.
    expect(collect(...Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual({
      stdout,
      stderr: '',
      result,
    });
  });

  test('is on stderr is output', () => {
    const output = new JobOutput(NONCE);
    output.write('stderr', Buffer.from(frame('42')));
    expect(output.end()).toEqual({ stdout: '', stderr: frame('42'), result: undefined });
  });

  test('is too large is dropped', () => {
    const largest = 'x'.repeat(RESULT_LIMIT);
    expect(collect(frame(largest)).result).toBe(largest);
    expect(collect(frame(`${largest}y`)).result).toBeUndefined();
  });

  test('is not UTF-8 is converted', () => {
    expect(collect(frame(Uint8Array.of(0x61, 0xff))).result).toBe('a\u{fffd}');
  });
});

describe('output', () => {
  test.each([
    ['NUL and control characters', 'a\0b\x1b[31m\x1e\r\n'],
    ['characters of every length', 'aé€😀'],
    ['exactly the limit', 'x'.repeat(OUTPUT_LIMIT)],
    ['exactly half the limit', 'é'.repeat(OUTPUT_LIMIT / 4)],
  ])('is unchanged: %s', (_, text) => {
    expect(collect(text).stdout).toBe(text);
  });

  test('that is too long loses its middle and counts the missing bytes', () => {
    const text = `begin\n${'x'.repeat(3 * MIB)}\nend`;
    const { stdout } = collect(text);
    const [, head = '', missing, tail = ''] =
      /^([^]*)\n\[sharedcloud-agent\] (\d+) bytes are left out here\n([^]*)$/.exec(stdout) ?? [];
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith(tail)).toBe(true);
    expect(head.length + Number(missing) + tail.length).toBe(text.length);
    expect(stdout.length).toBeGreaterThan(OUTPUT_LIMIT - 300);
    expect(stdout.length).toBeLessThanOrEqual(OUTPUT_LIMIT);
  });

  test('is cut between characters', () => {
    for (const shift of ['', 'a', 'ab', 'abc']) {
      const { stdout } = collect(shift + '😀'.repeat(MIB));
      expect(stdout).not.toContain('\u{fffd}');
      expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(OUTPUT_LIMIT);
    }
  });

  test('that is not UTF-8 stays within the limit', () => {
    for (const size of [OUTPUT_LIMIT / 2, OUTPUT_LIMIT, 3 * OUTPUT_LIMIT]) {
      const { stdout } = collect(Buffer.alloc(size, 0xff));
      expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(OUTPUT_LIMIT);
      expect(Buffer.byteLength(stdout)).toBeGreaterThan(OUTPUT_LIMIT - 300);
      const kept = stdout.split('\u{fffd}').length - 1;
      expect(Number(/ (\d+) bytes/.exec(stdout)?.[1])).toBe(size - kept);
    }
  });

  test('is unchanged when the caller reuses the chunk', () => {
    const output = new JobOutput(NONCE);
    const chunk = Buffer.from(`a\x1e${NONCE}`);
    output.write('stdout', chunk);
    chunk.fill('!');
    output.write('stdout', Buffer.from(':end:0\x1e\n'));
    expect(output.end()).toEqual({ stdout: 'a', stderr: '', result: '' });
  });
});

test('an opening without an end buffers no more than a record', () => {
  const printed: Buffer[] = [];
  const scanner = new FrameScanner(
    NONCE,
    (bytes) => void printed.push(Buffer.from(bytes)),
    () => undefined,
  );
  scanner.write(Buffer.from(`\x1e${NONCE}:`));
  for (let count = 0; count < 100; count += 1) scanner.write(Buffer.alloc(1000, 'a'));
  const bytes = printed.reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeGreaterThan(95_000);
});

describe('in any chunks', () => {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
    fc.constantFrom(
      '\x1e',
      '\x1e\n',
      `\x1e${NONCE}`,
      `\x1e${NONCE}:`,
      `\x1e${NONCE}:0:YQ==`,
      frame('first'),
      frame('last', NONCE, 1),
    ),
    fc.constantFrom('long', 'lung').map((word) => word.repeat(200_000)),
  );
  const bytes = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((pieces) => Buffer.from(pieces.join(''))),
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  );

  test('the output is the same', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 30 }), (all, cuts) => {
        const places = [...cuts.map((cut) => cut % (all.length + 1)), 0, all.length].sort((a, b) => a - b);
        const chunks = places.slice(1).map((end, index) => all.subarray(places[index], end));
        expect(collect(...chunks)).toEqual(collect(all));
      }),
      { numRuns: 300 },
    );
  });
});

test('256 MB on one line take little time and memory', () => {
  const output = new JobOutput(NONCE);
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const before = process.memoryUsage().rss;
  const began = process.cpuUsage();
  for (let at = 0; at < 256e6; at += chunk.length) output.write('stdout', chunk);
  const seconds = process.cpuUsage(began).user / 1e6;
  expect(Buffer.byteLength(output.end().stdout)).toBeLessThanOrEqual(OUTPUT_LIMIT);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  // 0.9 s at 300 MB/s.
  expect(seconds).toBeLessThan(5);
});
