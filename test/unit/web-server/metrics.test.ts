import { expect, test } from 'vitest';
import { refusalOfScrape } from '../../../src/web-server/metrics.ts';

const TOKEN = 'a-long-token-of-a-scraper';
const HERE = { method: 'GET', headers: {}, address: '127.0.0.1' };

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s may read without a token', (address) => {
  expect(refusalOfScrape({ ...HERE, address }, undefined)).toBeUndefined();
});

test.each([
  '192.168.1.2',
  '::ffff:192.168.1.2',
  '172.17.0.1',
  'fe80::1',
  '',
  undefined,
  '1127.0.0.1',
  '127.0.0.1.example',
])('%s may not read without a token', (address) => {
  expect(refusalOfScrape({ ...HERE, address }, undefined)?.status).toBe(403);
});

test.each(['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'via', 'x-real-ip'])(
  'a proxy on this host that says %s may not read without a token',
  (name) => {
    expect(refusalOfScrape({ ...HERE, headers: { [name]: '10.0.0.1' } }, undefined)?.status).toBe(403);
  },
);

test('with a token file only the token opens the metrics, from wherever it comes', () => {
  const seen = (authorization: string, address = '10.0.0.9') => ({
    method: 'GET',
    address,
    headers: { authorization, 'x-forwarded-for': '1.2.3.4' },
  });
  expect(refusalOfScrape(seen(`Bearer ${TOKEN}`), TOKEN)).toBeUndefined();
  expect(refusalOfScrape(seen(`bearer  ${TOKEN}`), TOKEN)).toBeUndefined();
  expect(refusalOfScrape(HERE, TOKEN)?.status).toBe(401);
  for (const wrong of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN} x`,
    TOKEN,
  ])
    expect(refusalOfScrape(seen(wrong, '127.0.0.1'), TOKEN)?.status).toBe(401);
});

test('metrics are only read', () => {
  expect(refusalOfScrape({ ...HERE, method: 'POST' }, undefined)?.status).toBe(405);
  expect(refusalOfScrape({ ...HERE, method: 'HEAD' }, undefined)).toBeUndefined();
});
