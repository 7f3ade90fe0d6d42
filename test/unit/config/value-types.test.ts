import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, showDuration } from '../../../src/config/duration.ts';
import { count, cpuCores, price } from '../../../src/config/number-types.ts';
import { showSize, size } from '../../../src/config/size.ts';
import { choice, imagePattern, path, userAndGroup } from '../../../src/config/text-types.ts';
import { brokerUrl, dockerHost, isLoopback } from '../../../src/config/url-types.ts';
import { BadValue, list, type ValueType } from '../../../src/config/value-type.ts';

function refusal<T>(type: ValueType<T>, text: string): BadValue {
  try {
    type.read([text]);
  } catch (thrown) {
    if (thrown instanceof BadValue) return thrown;
    throw thrown;
  }
  throw new Error(`${text} was expected to be refused`);
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

  test.each([
    ['30', 'has no unit'],
    ['', 'is not a time span'],
    ['abc', 'is not a time span'],
    ['-5s', 'is not a time span'],
    ['5 weeks', 'is not a time span'],
    ['5s5', 'is not a time span'],
    ['1ms', 'is less than 100ms'],
    ['9999d', 'is more than 3650d'],
    ['1e9s', 'is not a time span'],
  ])('%j is refused: %s', (text, why) => {
    const { message, hint } = refusal(anyTime, text);
    expect(message).toBe(`${JSON.stringify(text)} ${why}`);
    expect(hint).toContain('such as 5s or 1h30m');
  });

  test('what is shown reads as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 3650 * 86_400_000 }), (milliseconds) => {
        expect(anyTime.read([showDuration(milliseconds)])).toBe(milliseconds);
      }),
    );
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

  test.each([
    ['20', 'has no unit'],
    ['20G', 'may mean GB (powers of 1000) or GiB (powers of 1024)'],
    ['20 m', 'may mean MB (powers of 1000) or MiB (powers of 1024)'],
    ['-1 GB', 'is not a size'],
    ['NaN', 'is not a size'],
    ['1 XB', 'is not a size'],
    ['', 'is not a size'],
    ['5000 TiB', 'is more than 1000 TiB'],
  ])('%j is refused: %s', (text, why) => {
    expect(refusal(anySize, text).message).toBe(`${JSON.stringify(text)} ${why}`);
  });

  test.each([
    [20_000_000_000, '20 GB'],
    [536_870_912, '512 MiB'],
    [1_234_567, '1234567 B'],
    [0, '0 B'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(showSize(bytes)).toBe(text);
  });

  test('what is shown reads as the same', () => {
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

  test.each([
    ['0', 'would give the GPU away for nothing'],
    ['1e-999', 'would give the GPU away for nothing'],
    ['abc', 'is not a number'],
    ['', 'is not a number'],
    ['-1', 'is less than nothing'],
    ['NaN', 'is not a number'],
    ['Infinity', 'is not a number'],
    ['1e999', 'is more than 1000'],
    ['1000.01', 'is more than 1000'],
    ['$0.05', 'is not a number'],
    ['0x10', 'is not a number'],
  ])('%j is refused: %s', (text, why) => {
    const { message, hint } = refusal(price, text);
    expect(message).toBe(`${JSON.stringify(text)} ${why}`);
    expect(hint).toContain('such as 0.05');
  });

  test('a decimal comma is told from nonsense', () => {
    const { message, hint } = refusal(price, '0,05');
    expect(message).toBe('"0,05" has a decimal comma');
    expect(hint).toBe('write it with a point: 0.05');
  });

  test('whatever is written, a price that is read lies above 0 and not above 1000', () => {
    const looksLikeNumber = fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String));
    fc.assert(
      fc.property(looksLikeNumber, (text) => {
        const value = orRefused(() => price.read([text]));
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
    ['sharedcloud.io', /is not an http or https URL/],
    ['localhost:8000', /is not an http or https URL/],
    ['ftp://sharedcloud.io', /is not an http or https URL/],
    ['https://', /is not an http or https URL/],
    ['https://sharedcloud.io?x=1', /has a query or fragment/],
    ['https://sharedcloud.io/#', /has a query or fragment/],
    ['', /is not an http or https URL/],
  ])('%j is refused', (text, why) => {
    expect(refusal(brokerUrl, text).message).toMatch(why);
  });

  test.each(['https://me:hunter2@sharedcloud.io', 'me:hunter2@sharedcloud.io', 'http://hunter2@'])(
    'the password in %s is refused and not repeated',
    (text) => {
      const { message, hint } = refusal(brokerUrl, text);
      expect(message + hint).not.toContain('hunter2');
    },
  );

  test.each([
    ['http://broker.example', true],
    ['http://192.168.1.2:8000', true],
    ['http://localhost.evil.example', true],
    ['http://127.0.0.1:8080', undefined],
    ['http://[::1]:8080', undefined],
    ['http://localhost', undefined],
    ['https://broker.example', undefined],
  ])('%s is warned of: %s', (text, warning) => {
    const found = brokerUrl.warn?.(brokerUrl.read([text]));
    expect(found?.includes('plain http')).toBe(warning);
  });

  test.each([
    ['localhost', true],
    ['127.8.9.1', true],
    ['[::1]', true],
    ['a.localhost', true],
    ['127.0.0.1.example', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %s', (host, answer) => {
    expect(isLoopback(host)).toBe(answer);
  });
});

describe('other values', () => {
  test.each([
    ['65534:65534', '65534:65534'],
    ['1000', '1000:1000'],
    ['0:0', '0:0'],
  ])('user %s is %s', (text, user) => expect(userAndGroup.read([text])).toBe(user));

  test.each(['nobody', '1000:', '-1', '4294967295', ''])('user %j is refused', (text) => {
    expect(refusal(userAndGroup, text).hint).toContain('65534:65534');
  });

  test('jobs as root are warned of', () => {
    expect(userAndGroup.warn?.('0:0')).toContain('root');
    expect(userAndGroup.warn?.('10:10')).toBeUndefined();
  });

  test('lists are split at commas, and what is written twice counts once', () => {
    const patterns = list(imagePattern);
    expect(patterns.read(['a/*, b:1', 'a/*', ''])).toEqual(['a/*', 'b:1']);
    expect(patterns.read([''])).toEqual([]);
    expect(() => patterns.read(['a b'])).toThrow(BadValue);
    expect(patterns.warn?.(['*', 'a/*'])).toContain('any registry');
    expect(patterns.warn?.(['a/*'])).toBeUndefined();
  });

  test('whole numbers keep to their bounds', () => {
    expect(count(1, 64).read(['64'])).toBe(64);
    for (const text of ['0', '65', '1.5', 'two', '1e1', ''])
      expect(refusal(count(1, 64), text).hint).toContain('from 1 to 64');
  });

  test('cores may be parts of one', () => {
    expect(cpuCores.read(['1.5'])).toBe(1.5);
    for (const text of ['0', '-1', '1e999', 'NaN']) expect(refusal(cpuCores, text).hint).toContain('cores');
  });

  test('words are read in any case', () => {
    expect(choice('auto', 'cdi').read(['CDI'])).toBe('cdi');
    expect(refusal(choice('auto', 'cdi'), 'none').hint).toBe('write one of auto, cdi');
  });

  test('paths become absolute, and ~ is refused', () => {
    expect(path.read(['/a/../b'])).toBe('/b');
    expect(path.read(['x'])).toBe(`${process.cwd()}/x`);
    expect(refusal(path, '~/token').message).toContain('begins with ~');
  });

  test('a value that is not one value is refused', () => {
    expect(() => price.read(['1', '2'])).toThrow('takes one value and was given 2');
  });

  test('no type ever throws anything but BadValue', () => {
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
        expect(() => orRefused(() => type.read(written))).not.toThrow();
      }),
    );
  });
});

function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof BadValue) return undefined;
    throw thrown;
  }
}
