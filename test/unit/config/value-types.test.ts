import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, showDuration } from '../../../src/config/duration.ts';
import { count, cpuCores, price } from '../../../src/config/number-types.ts';
import { showSize, size } from '../../../src/config/size.ts';
import { sizeOrPart } from '../../../src/config/size-or-part.ts';
import { maxTemperature } from '../../../src/config/temperature.ts';
import { choice, imagePattern, imagePatterns, path, userAndGroup } from '../../../src/config/text-types.ts';
import { brokerUrl, dockerHost } from '../../../src/config/url-types.ts';
import { BadValue, list, type ValueType } from '../../../src/config/value-type.ts';
import { isLoopback } from '../../../src/lib/loopback.ts';

function rejection<T>(type: ValueType<T>, text: string): BadValue {
  try {
    type.read([text]);
  } catch (thrown) {
    if (thrown instanceof BadValue) return thrown;
    throw thrown;
  }
  throw new Error(`${text} was expected to be rejected`);
}

describe('durations', () => {
  const anyTime = duration('100ms', '3650d');

  test.each([
    ['5s', 5000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['30d', 2_592_000_000],
    [' 1h 30m ', 5_400_000],
    ['1.5s', 1500],
    ['2H', 7_200_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(anyTime.read([text])).toBe(milliseconds);
  });

  test.each(['30', '', 'abc', '-5s', '5 weeks', '5s5', '1ms', '9999d', '1e9s'])('%j is rejected', (text) => {
    const { message, hint } = rejection(anyTime, text);
    expect(message).toContain(JSON.stringify(text));
    expect(hint).toContain('1h30m');
  });

  test('are shown so that they parse to the same value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 3650 * 86_400_000 }), (milliseconds) => {
        expect(anyTime.read([showDuration(milliseconds)])).toBe(milliseconds);
      }),
    );
  });
});

describe('sizes or parts', () => {
  const type = sizeOrPart('0 B', '10 TB');

  test.each([
    ['10%', { part: 0.1 }, '10%'],
    ['7.5 %', { part: 0.075 }, '7.5%'],
    ['0%', { part: 0 }, '0%'],
    ['2 GB', { bytes: 2e9 }, '2 GB'],
    ['512MiB', { bytes: 512 * 2 ** 20 }, '512 MiB'],
  ])('%s is %j', (text, value, shown) => {
    expect(type.read([text])).toEqual(value);
    expect(type.show(value)).toBe(shown);
  });

  test.each(['10', '91%', '-1%', '0.1', 'abc', '', '%', '99 PB'])('%j is rejected', (text) => {
    expect(rejection(type, text).hint).toContain('10%');
  });
});

describe('temperatures', () => {
  test.each([
    ['80', 80],
    ['40', 40],
    ['110', 110],
    ['82.5', 82.5],
    ['80C', 80],
    ['80 °C', 80],
    ['80 °', 80],
    ['80°c', 80],
    ['+80', 80],
    ['none', Number.POSITIVE_INFINITY],
    ['None', Number.POSITIVE_INFINITY],
  ])('%s is %s °C', (text, value) => {
    expect(maxTemperature.read([text])).toBe(value);
    expect(maxTemperature.read([maxTemperature.show(value)])).toBe(value);
  });

  test.each(['', '39', '111', '176F', '-80', '1e2', '80K', 'hot', 'Infinity', 'NaN', '80,5', '80 90'])(
    '%j is refused with a hint',
    (text) => {
      expect(rejection(maxTemperature, text).hint).toContain('none');
    },
  );

  test('one that a GPU at work soon has is a warning', () => {
    expect(
      [59, 60, Number.POSITIVE_INFINITY].map((value) => maxTemperature.warn?.(value) !== undefined),
    ).toEqual([true, false, false]);
  });
});

describe('sizes', () => {
  const anySize = size('0 B', '1000 TiB');

  test.each([
    ['20 GB', 20_000_000_000],
    ['512MiB', 536_870_912],
    ['1.5 GiB', 1_610_612_736],
    ['10tb', 10_000_000_000_000],
    ['0 B', 0],
    ['4 kB', 4000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(anySize.read([text])).toBe(bytes);
  });

  test.each(['20', '20G', '20 m', '-1 GB', 'NaN', '1 XB', '', '5000 TiB'])('%j is rejected', (text) => {
    expect(rejection(anySize, text).message).toContain(JSON.stringify(text));
  });

  test.each([
    [20_000_000_000, '20 GB'],
    [536_870_912, '512 MiB'],
    [1_234_567, '1234567 B'],
    [0, '0 B'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(showSize(bytes)).toBe(text);
  });

  test('are shown so that they parse to the same value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 49 }), (bytes) => {
        expect(anySize.read([showSize(bytes)])).toBe(bytes);
      }),
    );
  });
});

describe('prices', () => {
  test.each([
    ['0.05', 0.05],
    ['.5', 0.5],
    ['1000', 1000],
    ['1e-3', 0.001],
    [' 2 ', 2],
  ])('%s is %d dollars', (text, dollars) => {
    expect(price.read([text])).toBe(dollars);
  });

  test.each(['0', '1e-999', 'abc', '', '-1', 'NaN', 'Infinity', '1e999', '1000.01', '$0.05', '0x10'])(
    '%j is rejected',
    (text) => {
      const { message, hint } = rejection(price, text);
      expect(message).toContain(JSON.stringify(text));
      expect(hint).toContain('0.05');
    },
  );

  test('with a decimal comma have a hint with a point', () => {
    expect(rejection(price, '0,05').hint).toMatch(/: 0\.05$/);
  });

  test('are above 0 and at most 1000 for any text', () => {
    const looksLikeNumber = fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String));
    fc.assert(
      fc.property(looksLikeNumber, (text) => {
        const value = orRejected(() => price.read([text]));
        expect(value === undefined || (value > 0 && value <= 1000)).toBe(true);
      }),
    );
  });
});

describe('URLs of a broker', () => {
  test.each([
    ['https://sharedcloud.io', 'https://sharedcloud.io'],
    ['https://sharedcloud.io/', 'https://sharedcloud.io'],
    ['HTTPS://Example.Com:443/base//', 'https://example.com/base'],
    ['http://127.0.0.1:8080/a/b', 'http://127.0.0.1:8080/a/b'],
  ])('%s is %s', (text, url) => {
    expect(brokerUrl.read([text])).toBe(url);
  });

  test.each([
    'sharedcloud.io',
    'localhost:8000',
    'ftp://sharedcloud.io',
    'https://',
    'https://sharedcloud.io?x=1',
    'https://sharedcloud.io/#',
    '',
  ])('%j is rejected', (text) => {
    expect(rejection(brokerUrl, text).message).toContain(JSON.stringify(text));
  });

  test.each(['https://me:hunter2@sharedcloud.io', 'me:hunter2@sharedcloud.io', 'http://hunter2@'])(
    'the password in %s is rejected and not repeated',
    (text) => {
      const { message, hint } = rejection(brokerUrl, text);
      expect(message + hint).not.toContain('hunter2');
    },
  );

  test.each([
    ['http://broker.example', true],
    ['http://192.168.1.2:8000', true],
    ['http://localhost.evil.example', true],
    ['http://127.0.0.1:8080', false],
    ['http://[::1]:8080', false],
    ['http://localhost', false],
    ['https://broker.example', false],
  ])('%s has a warning: %s', (text, warning) => {
    const found = brokerUrl.warn?.(brokerUrl.read([text]));
    expect(found !== undefined).toBe(warning);
  });

  test.each([
    ['localhost', true],
    ['127.8.9.1', true],
    ['[::1]', true],
    ['a.localhost', true],
    ['127.0.0.1.example', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %s', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });
});

describe('other values', () => {
  test.each([
    ['65534:65534', '65534:65534'],
    ['1000', '1000:1000'],
    ['0:0', '0:0'],
    ['separate', 'separate'],
  ])('user %s is %s', (text, user) => expect(userAndGroup.read([text])).toBe(user));

  test.each(['nobody', '1000:', '-1', '4294967295', ''])('user %j is rejected', (text) => {
    expect(rejection(userAndGroup, text).hint).toContain('65534:65534');
  });

  test('jobs as root have a warning', () => {
    expect(userAndGroup.warn?.('0:0')).toBeDefined();
    expect(userAndGroup.warn?.('10:10')).toBeUndefined();
  });

  test('lists are split at commas, without duplicates', () => {
    const patterns = imagePatterns;
    expect(patterns.read(['a/*, b:1', 'a/*', ''])).toEqual(['a/*', 'b:1']);
    expect(patterns.read([''])).toEqual([]);
    expect(() => patterns.read(['a b'])).toThrow(BadValue);
    expect(patterns.warn?.(['*', 'a/*'])).toBeDefined();
    expect(patterns.warn?.(['a/*'])).toBeUndefined();
    expect(patterns.warn?.([])).toBeDefined();
  });

  test('whole numbers have bounds', () => {
    expect(count(1, 64).read(['64'])).toBe(64);
    for (const text of ['0', '65', '1.5', 'two', '1e1', ''])
      expect(rejection(count(1, 64), text).hint).toContain('64');
  });

  test('cores may be fractional', () => {
    expect(cpuCores.read(['1.5'])).toBe(1.5);
    for (const text of ['0', '-1', '1e999', 'NaN']) expect(rejection(cpuCores, text).hint).toContain('1024');
  });

  test('words are parsed in any case', () => {
    expect(choice('auto', 'cdi').read(['CDI'])).toBe('cdi');
    expect(rejection(choice('auto', 'cdi'), 'none').hint).toContain('auto, cdi');
  });

  test('paths become absolute, and ~ is rejected', () => {
    expect(path.read(['/a/../b'])).toBe('/b');
    expect(path.read(['x'])).toBe(`${process.cwd()}/x`);
    expect(rejection(path, '~/token').message).toContain('~');
  });

  test('a single value is not accepted twice', () => {
    expect(() => price.read(['1', '2'])).toThrow(BadValue);
  });

  test('every type throws only BadValue', () => {
    const types: readonly ValueType<unknown>[] = [
      price,
      cpuCores,
      brokerUrl,
      dockerHost,
      userAndGroup,
      list(imagePattern),
      duration('1s', '1d'),
      size('1 B', '1 TB'),
      count(0, 9),
      path,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.array(fc.string({ unit: 'binary' })), (type, written) => {
        expect(() => orRejected(() => type.read(written))).not.toThrow();
      }),
    );
  });
});

function orRejected<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof BadValue) return undefined;
    throw thrown;
  }
}
