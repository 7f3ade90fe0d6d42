import { expect, test } from 'vitest';
import { checkElectricity, inspectElectricity } from '../../../../src/cli/check/check-electricity.ts';
import { load } from '../../../support/config/load.ts';
import { httpServer } from '../../../support/faults/server.ts';

const NOW = Date.UTC(2026, 10, 27, 12);

async function results(env: Readonly<Record<string, string>>) {
  const { config } = await load({ env });
  return checkElectricity(config, await inspectElectricity(config), NOW);
}

async function levels(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await results(env)).map(({ level }) => level);
}

test('what a kWh costs now is said, and what keeps it from being known', async () => {
  await using server = await httpServer(({ url }, response) => {
    const from = url === '/old' ? '2026-11-26T00:00:00Z' : '2026-11-27T12:00:00Z';
    response.writeHead(url === '/none' ? 500 : 200).end(JSON.stringify([{ from, pricePerKWh: 0.3 }]));
  });
  const url = (path: string) => ({ SHAREDCLOUD_ELECTRICITY_PRICE_URL: `${server.url}${path}` });
  expect(await levels({})).toEqual([]);
  expect(await levels({ SHAREDCLOUD_ELECTRICITY_PRICE: '0.3; 12-13 0.1' })).toEqual(['ok']);
  expect(await levels(url('/now'))).toEqual(['ok']);
  expect(await levels(url('/old'))).toEqual(['warn']);
  expect(await levels(url('/none'))).toEqual(['warn']);
  // The owner’s own price counts, so the price is not unknown.
  const [fallback] = await results({ ...url('/none'), SHAREDCLOUD_ELECTRICITY_PRICE: '0.37' });
  expect(fallback).toMatchObject({ level: 'warn', found: expect.stringContaining('0.37') as unknown });
});

test('a strategy that follows the price of electricity needs one', async () => {
  const strategy = { SHAREDCLOUD_ASK_STRATEGY: 'floor' };
  expect(await levels(strategy)).toEqual(['warn']);
  expect(await levels({ ...strategy, SHAREDCLOUD_ELECTRICITY_PRICE: '0.3' })).toEqual(['ok']);
});
