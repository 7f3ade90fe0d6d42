import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutputStream } from '../../../../../src/domain/ports/runtime.ts';
import { LogPosition } from '../../../../../src/runtime/docker/output/log-position.ts';
import { LostNewlines } from '../../../../../src/runtime/docker/output/lost-newlines.ts';
import {
  type LogFrame,
  readLogFrame,
  type StreamFrame,
  StreamFrames,
} from '../../../../../src/runtime/docker/output/stream-frames.ts';

type Message = { readonly stream: OutputStream; readonly timestamp: string; readonly text: string };

const message = fc.record({
  stream: fc.constantFrom<OutputStream>('stdout', 'stderr'),
  timestamp: fc
    .integer({ min: 0, max: 99 })
    .map((tick) => `2026-01-01T00:00:00.0000000${String(tick).padStart(2, '0')}Z`),
  text: fc.string({ maxLength: 20 }),
});

function encode({ stream, timestamp, text }: Message): Buffer {
  const body = Buffer.from(`${timestamp} ${text}`);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

describe('the frames of an output stream', () => {
  test('are the same for any chunks of the stream', () => {
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 40 })), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encode));
        const frames = new StreamFrames();
        const got: Message[] = [];
        const take = (frame: StreamFrame): void => {
          const read = readLogFrame(frame);
          got.push({ ...pick(read), text: Buffer.from(read.bytes).toString() });
        };
        let at = 0;
        for (const cut of cuts) {
          frames.push(bytes.subarray(at, at + cut), take);
          at += cut;
        }
        frames.push(bytes.subarray(at), take);
        expect(got).toEqual(messages);
        expect(frames.whole).toBe(true);
      }),
    );
  });

  test('are incomplete if the stream ends inside one', () => {
    const frames = new StreamFrames();
    frames.push(encode({ stream: 'stdout', timestamp: 'x', text: 'abc' }).subarray(0, 11), () => undefined);
    expect(frames.whole).toBe(false);
  });

  test.each([
    ['an error of the engine', Buffer.from([3, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from('oops')])],
    ['an unknown stream number', Buffer.from([9, 0, 0, 0, 0, 0, 0, 1, 65])],
    ['no timestamp', Buffer.from([1, 0, 0, 0, 0, 0, 0, 1, 65])],
    ['an excessive length', Buffer.from([1, 0, 0, 0, 255, 255, 255, 255])],
  ])('are refused with %s', (_, bytes) => {
    const push = () => new StreamFrames().push(bytes, readLogFrame);
    expect(push).toThrow(expect.objectContaining({ code: 'RUNTIME_FAILED' }));
  });
});

describe('a reopened log', () => {
  /** A log as engines write it: the times of a stream never go back. */
  const log = fc.array(message).map((messages) => {
    const last: Record<OutputStream, string> = { stdout: '', stderr: '' };
    return messages.map((each) => {
      last[each.stream] = each.timestamp > last[each.stream] ? each.timestamp : last[each.stream];
      return { ...each, timestamp: last[each.stream] };
    });
  });

  test('delivers each message once and in order, wherever and however often it broke off', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), (messages, breaks) => {
        const position = new LogPosition();
        const got: Message[] = [];
        for (const end of [...breaks, messages.length]) {
          const since = position.reopen();
          const from =
            since === undefined
              ? messages
              : messages.filter(({ timestamp }) => engineTime(timestamp) >= since);
          for (const each of from.slice(0, end))
            if (position.isNew(each.stream, each.timestamp)) got.push(each);
        }
        expect(byStream(got)).toEqual(byStream(messages));
      }),
    );
  });

  test('delivers messages after a gap, and recognises a time in any time zone', () => {
    const position = new LogPosition();
    position.reopen();
    expect(position.isNew('stdout', '2026-01-01T00:00:00.000000001Z')).toBe(true);
    expect(position.isNew('stderr', '2026-01-01T00:00:05.000000000Z')).toBe(true);
    expect(position.reopen()).toBe('1767225600.000000001');
    expect(position.isNew('stdout', '2026-01-01T02:00:00.000000001+02:00')).toBe(false);
    expect(position.isNew('stdout', '2026-01-01T00:00:09.5Z')).toBe(true);
    expect(position.isNew('stderr', '2026-01-01T00:00:04.999999999Z')).toBe(false);
  });

  test('delivers messages from after the clock was set back in the first reading', () => {
    const position = new LogPosition();
    position.reopen();
    expect(position.isNew('stdout', '2026-01-01T00:00:05Z')).toBe(true);
    expect(position.isNew('stdout', '2026-01-01T00:00:01Z')).toBe(true);
    position.reopen();
    expect(position.isNew('stdout', '2026-01-01T00:00:01Z')).toBe(false);
  });
});

test('finds the newline missing after the last piece of a long line, and no other', () => {
  const newlines = new LostNewlines();
  const before = (stream: OutputStream, timestamp: string, text: string): boolean =>
    newlines.before({ stream, timestamp, bytes: Buffer.from(text) });
  expect([
    before('stdout', '1', 'short\n'),
    before('stdout', '2', 'piece'),
    before('stderr', '3', 'meanwhile\n'),
    before('stdout', '2', 'last piece'),
    before('stdout', '4', 'next\n'),
    before('stdout', '5', 'after\n'),
    before('stderr', '6', ''),
    before('stderr', '7', '\n'),
  ]).toEqual([false, false, false, false, true, false, false, true]);
});

function pick({ stream, timestamp }: LogFrame): Pick<LogFrame, 'stream' | 'timestamp'> {
  return { stream, timestamp };
}

/** The engine's `since` for a timestamp in the first second of 2026. */
function engineTime(timestamp: string): string {
  return `1767225600.${timestamp.slice(20, 29)}`;
}

function byStream(messages: readonly Message[]): Record<OutputStream, readonly string[]> {
  const of = (stream: OutputStream): readonly string[] =>
    messages.filter((each) => each.stream === stream).map(({ timestamp, text }) => timestamp + text);
  return { stdout: of('stdout'), stderr: of('stderr') };
}
