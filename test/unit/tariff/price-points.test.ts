import { expect, test } from 'vitest';
import { asAgentError } from '../../../src/domain/errors.ts';
import { readPrices } from '../../../src/tariff/price-points.ts';

const AT = Date.parse('2026-11-27T00:00:00+01:00');
const HOUR = 3_600_000;

const read = (value: unknown) => readPrices(JSON.stringify(value));
const hour = (number: number): string => new Date(AT + number * HOUR).toISOString();

test('a list, or an object with one, in any order', () => {
  const list = [
    { from: hour(1), pricePerKWh: -0.01 },
    { from: '2026-11-27T00:00:00+01:00', pricePerKWh: 0.31 },
  ];
  const points = [
    { from: AT, until: AT + HOUR, price: 0.31 },
    { from: AT + HOUR, until: AT + 2 * HOUR, price: -0.01 },
  ];
  expect(read(list)).toEqual(points);
  expect(read({ prices: list, area: 'DE' })).toEqual(points);
});

test('a price without an end holds to the next one, the last one as long as the one before', () => {
  const quarter = [0, 0.25, 0.5].map((at) => ({ from: hour(at), pricePerKWh: at }));
  expect(read(quarter).map(({ from, until }) => until - from)).toEqual([HOUR / 4, HOUR / 4, HOUR / 4]);
  expect(read([0, 400].map((at) => ({ from: hour(at), pricePerKWh: 1 })))[1]?.until).toBe(AT + 424 * HOUR);
  expect(read([{ from: hour(0), pricePerKWh: 1 }])).toEqual([{ from: AT, until: AT + HOUR, price: 1 }]);
});

test.each([
  ['no JSON', 'prices'],
  ['nothing', '[]'],
  ['a price as text', JSON.stringify([{ from: hour(0), pricePerKWh: '0.3' }])],
  ['no price', JSON.stringify([{ from: hour(0) }])],
  ['a price that is no number', '[{"from":"2026-11-27T00:00:00Z","pricePerKWh":1e999}]'],
  ['a time without a zone', JSON.stringify([{ from: '2026-11-27T00:00:00', pricePerKWh: 1 }])],
  ['an end before the beginning', JSON.stringify([{ from: hour(1), until: hour(0), pricePerKWh: 1 }])],
  [
    'two prices of one time',
    JSON.stringify([
      { from: hour(1), pricePerKWh: 1 },
      { from: hour(1), pricePerKWh: 2 },
    ]),
  ],
  [
    'too many',
    JSON.stringify(Array.from({ length: 10_001 }, (_, at) => ({ from: hour(at), pricePerKWh: 1 }))),
  ],
  ['another thing', '{"price": 3}'],
])('%s is refused', (_, text) => {
  const thrown = (() => {
    try {
      return readPrices(text);
    } catch (error) {
      return asAgentError(error).code;
    }
  })();
  expect(thrown).toBe('ELECTRICITY_PRICES_FAILED');
});
