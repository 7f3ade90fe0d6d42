import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AgentError } from '../../../src/domain/errors.ts';
import { escapeControls } from '../../../src/lib/escape.ts';
import { createLog, type LogLevel } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';
import { LIMITS } from '../../../src/limits.ts';

const TOKEN = '0f9a8b7c6d5e4f3a2b1c';

function logging(
  given: {
    format?: 'json' | 'pretty';
    level?: LogLevel;
    colour?: boolean;
    secret?: string;
    now?: () => number;
  } = {},
) {
  const { format = 'json', level = 'info', colour = false, secret = TOKEN, now = () => 0 } = given;
  const written: string[] = [];
  const redactor = new Redactor();
  redactor.add(secret);
  const destination = { write: (text: string) => void written.push(text) };
  return { log: createLog({ level, format, colour, destination, redactor, now }), written };
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(line));
}

/** The one line that was logged, as it was parsed. */
function parsed(written: readonly string[]): Readonly<Record<string, unknown>> {
  expect(written).toHaveLength(1);
  return fieldsOf(written.join(''));
}

describe('for programs', () => {
  test('a line is JSON with level, time, event, fields and message', () => {
    const { log, written } = logging();
    log.info({ event: 'x', job: 'a', earned: 0.05 }, 'job ended');
    const { time, ...rest } = parsed(written);
    expect(rest).toEqual({ level: 'info', event: 'x', job: 'a', earned: 0.05, msg: 'job ended' });
    expect(Math.abs(Date.now() - Date.parse(String(time)))).toBeLessThan(60_000);
    expect(written[0]?.endsWith('}\n')).toBe(true);
  });

  test('lines below the level are left out', () => {
    const { log, written } = logging({ level: 'warn' });
    log.debug({ event: 'x' }, 'a');
    log.info({ event: 'x' }, 'b');
    log.warn({ event: 'x' }, 'c');
    log.error({ event: 'x' }, 'd');
    expect(written.map((line) => fieldsOf(line)['level'])).toEqual(['warn', 'error']);
  });

  test('an error has code, message, hint and causes, and a stack only without a code', () => {
    const { log, written } = logging();
    const cause = new TypeError('x is undefined');
    log.error(
      { event: 'x', err: new AgentError('INTERNAL', 'it broke', { hint: 'tell us', cause }) },
      'failed',
    );
    expect(parsed(written)['err']).toEqual({
      code: 'INTERNAL',
      message: 'it broke',
      hint: 'tell us',
      cause: { message: 'x is undefined', stack: cause.stack },
    });
  });

  test('an error that is its own cause is logged once', () => {
    const { log, written } = logging();
    const error = new Error('round');
    error.cause = error;
    log.error({ event: 'x', err: error }, 'failed');
    expect(written).toHaveLength(1);
  });
});

describe('bounds', () => {
  const { line, text } = LIMITS.log;

  test('a long message or field is cut, wherever it is, and says how long it was', () => {
    const { log, written } = logging();
    const long = 'x'.repeat(5_000_000);
    const err = new AgentError('RUNTIME_FAILED', long, { hint: long, cause: new Error(long) });
    log.warn({ event: 'x', why: long, deep: [{ a: { b: long } }], err, [long]: 1 }, long);
    const { msg, why } = parsed(written);
    for (const shown of [msg, why]) expect(shown).toBe(`${'x'.repeat(text.max)}… (5000000 characters)`);
    expect(written.join('').length).toBeLessThan(line.max + 1_000);
  });

  test('a long list, a deep value and many fields are cut', () => {
    const { log, written } = logging();
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]));
    log.warn({ event: 'x', list: Array.from({ length: 1e6 }, () => 'item'), deep, many }, 'm');
    expect(written.join('').length).toBeLessThan(line.max);
  });

  test('a secret at the cut leaves no part of it', () => {
    for (let before = text.max - TOKEN.length; before <= text.max; before += 1) {
      const { log, written } = logging();
      log.info({ event: 'x' }, `${'a'.repeat(before)}${TOKEN}${'b'.repeat(100_000)}`);
      expect(written.join('')).not.toContain(TOKEN.slice(0, 4));
    }
  });

  test('half of a character is not left at the cut', () => {
    const { log, written } = logging();
    log.info({ event: 'x' }, `${'a'.repeat(text.max - 1)}😀${'b'.repeat(10)}`);
    expect(String(parsed(written)['msg']).isWellFormed()).toBe(true);
  });

  test('any fields make a line of bounded length with event, message and level', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string({ unit: 'binary' }),
        (fields, text) => {
          const { log, written } = logging();
          log.error({ ...fields, event: 'x' }, text);
          expect(parsed(written)).toMatchObject({ level: 'error', event: 'x' });
        },
      ),
    );
  });
});

describe('rate', () => {
  const MAX = LIMITS.log.sameEvent.max;
  const countOf = (written: readonly string[], event: string) =>
    written.filter((line) => fieldsOf(line)['event'] === event).length;

  test('lines of one event beyond a rate are omitted and counted once a minute; other events have their lines', () => {
    let now = 0;
    const { log, written } = logging({ now: () => now });
    for (let second = 0; second < 120; second += 1) {
      for (let n = 0; n < 1_000; n += 1) log.warn({ event: 'polling-failed' }, `no answer ${second} ${n}`);
      now += 1_000;
    }
    log.info({ event: 'other' }, 'm');
    const shown = countOf(written, 'polling-failed');
    expect(shown).toBeLessThanOrEqual(MAX + 2 * 120);
    const omitted = written.map(fieldsOf).filter(({ event }) => event === 'log-lines-omitted');
    expect(omitted.length).toBeLessThanOrEqual(3);
    const lines = omitted.reduce((sum, one) => sum + Number(one['lines']), 0);
    expect(lines + shown).toBe(120_000);
    expect(countOf(written, 'other')).toBe(1);
  });

  test.each([
    'job-claimed',
    'job-started',
    'job-ended',
    'job-aborted',
    'job-cancelled',
    'job-release-queued',
    'job-released',
    'report-delivered',
    'report-refused',
  ])('each job that was claimed has its lines (%s)', (event) => {
    const { log, written } = logging({ now: () => 0 });
    for (let n = 0; n < 3 * MAX; n += 1) log.info({ event }, 'a job');
    expect(written).toHaveLength(3 * MAX);
  });
});

describe('secrets', () => {
  test.each(['json', 'pretty'] as const)('a token is redacted wherever it is (%s)', (format) => {
    const { log, written } = logging({ format });
    log.info({ event: 'x', token: TOKEN }, `a ${TOKEN} b`);
    log.info({ event: 'x', deep: [{ [`key-${TOKEN}`]: `Token ${TOKEN}${TOKEN}` }] }, 'deep');
    log.error({ event: 'x', err: new Error(`with ${TOKEN}`, { cause: new Error(TOKEN) }) }, 'failed');
    expect(written).toHaveLength(3);
    expect(written.join('')).not.toContain(TOKEN);
    expect(written.every((line) => line.includes('[redacted]'))).toBe(true);
  });

  test('two tokens are both redacted, the longer one first', () => {
    const redactor = new Redactor();
    redactor.add('abcd');
    redactor.add('abcdefgh');
    expect(redactor.text('abcdefgh abcd abc')).toBe('[redacted] [redacted] abc');
  });

  test.each(['a', 'is', 'job'])('a secret as short as a word takes nothing out of the text: %s', (secret) => {
    const redactor = new Redactor();
    redactor.add(secret);
    expect(redactor.text('this is a job')).toBe('this is a job');
    expect(redactor.line('{"is":"a job"}\n')).toBe('{"is":"a job"}\n');
  });

  test('nothing is redacted without a secret or for an empty one', () => {
    const redactor = new Redactor();
    redactor.add('');
    expect(redactor.text('as it was')).toBe('as it was');
  });

  test('a line stays JSON without the token, for any token and values', () => {
    const token = fc.stringMatching(/^[\x21-\x7e]{4,40}$/).filter((text) => !'[redacted]'.includes(text));
    fc.assert(
      fc.property(token, fc.jsonValue(), fc.string(), (secret, value, text) => {
        const redactor = new Redactor();
        redactor.add(secret);
        const line = redactor.line(`${JSON.stringify({ value, text: `${text}${secret}${text}` })}\n`);
        expect(String(fieldsOf(line)['text']).replaceAll('[redacted]', '')).not.toContain(secret);
      }),
    );
  });
});

describe('for people', () => {
  const withoutTime = (written: readonly string[]) => written.join('').replace(/^\d\d:\d\d:\d\d /gm, '');

  test('fields follow the message on the same line where they fit', () => {
    const { log, written } = logging({ format: 'pretty' });
    log.info({ event: 'x', job: 'a-1', why: 'bid below ask', at: { x: 1 } }, 'run skipped');
    expect(written[0]).toMatch(
      /^\d\d:\d\d:\d\d INFO  run skipped {2}job=a-1 why="bid below ask" at=\{"x":1\}\n$/,
    );
  });

  test('the hint and the parts of an error have lines of their own', () => {
    const { log, written } = logging({ format: 'pretty' });
    const cause = new AgentError('BROKER_UNREACHABLE', 'no answer');
    const err = new AgentError('GPU_NONE', 'no GPU', { hint: 'plug one in', cause });
    log.warn({ event: 'x', err, hint: 'look here' }, 'trouble');
    expect(withoutTime(written)).toBe(
      [
        'WARN  trouble',
        '               hint: look here',
        '               GPU_NONE: no GPU',
        '               hint: plug one in',
        '               caused by BROKER_UNREACHABLE: no answer\n',
      ].join('\n'),
    );
  });

  test('no value can control the terminal or forge a line', () => {
    const { log, written } = logging({ format: 'pretty' });
    const evil = '\u001b[2J\r\n12:00:00 INFO  forged\u009b1m\u202e\u0007';
    log.info({ event: 'x', name: evil, [evil]: 1, list: [evil] }, evil);
    log.error({ event: 'x', err: new Error(evil), hint: evil }, 'failed');
    const text = written.join('');
    // oxlint-disable-next-line no-control-regex -- finding control characters is the point
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.split('\n').filter((line) => line.startsWith('12:00:00'))).toEqual([]);
    expect(text).toContain(String.raw`\u{1b}[2J\r\n12:00:00`);
  });

  test('colour only where it is wanted', () => {
    const coloured = logging({ format: 'pretty', colour: true });
    coloured.log.info({ event: 'x' }, 'x');
    expect(coloured.written.join('')).toContain('\u001b[32mINFO');
  });

  test('escaping removes control characters and leaves other text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeControls(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
    expect(escapeControls('Grüße, 世界 🎉')).toBe('Grüße, 世界 🎉');
  });
});
