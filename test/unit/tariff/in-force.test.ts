import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openElectricity, tariffOf } from '../../../src/compose-electricity.ts';
import { Zone } from '../../../src/domain/schedule/zone.ts';
import { meanPrice } from '../../../src/pricing/tariff.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { DEFAULT_FILE, load } from '../../support/config/load.ts';
import { scratchDir } from '../../support/journal/scratch.ts';
import { logged, logInto } from '../../support/log/log-into.ts';

const HOUR = 3_600_000;
const UTC = new Zone('UTC');

async function configOf(file: string) {
  return (await load({ files: { [DEFAULT_FILE]: file } })).config;
}

/** A program that prints one price for the hour of an instant. */
function priceProgram(at: number, price: number): string {
  const path = join(scratchDir(), 'prices');
  const from = new Date(at).toISOString();
  const until = new Date(at + HOUR).toISOString();
  writeFileSync(path, `#!/bin/sh\necho '[{"from":"${from}","until":"${until}","pricePerKWh":${price}}]'\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What power costs, once the program has been read. */
async function opened(more = '') {
  const clock = new ManualClock();
  const now = clock.now();
  const lines: string[] = [];
  const config = await configOf(`electricity-price-command = "${priceProgram(now, 0.1)}"\n${more}`);
  const electricity = openElectricity({
    config: () => config,
    zone: () => UTC,
    stateDir: scratchDir(),
    clock,
    log: logInto(lines),
    random: () => 1,
  });
  await expect.poll(() => logged(lines, 'electricity-prices-read')).toHaveLength(1);
  const at = (time: number) => {
    const tariff = electricity.tariff();
    return [tariff && meanPrice(tariff, time, time + 1)?.dollarsPerKWh, electricity.source(time, time + 1)];
  };
  return { electricity, at, now };
}

test('the owner’s price counts where none is published, and only there', async () => {
  const { at, electricity, now } = await opened('electricity-price = 0.4');
  await using _ = electricity;
  expect(at(now)).toEqual([0.1, 'published']);
  expect(at(now + HOUR)).toEqual([0.4, 'configured']);
  expect(at(now + 24 * HOUR)).toEqual([0.4, 'configured']);
  expect(at(now - 1)).toEqual([0.4, 'configured']);
});

test('without a price of the owner those published before are assumed', async () => {
  const { at, electricity, now } = await opened();
  await using _ = electricity;
  expect(at(now)).toEqual([0.1, 'published']);
  expect(at(now + 24 * HOUR)).toEqual([0.1, 'assumed']);
});

test('assumed prices follow the clock of the owner’s zone', async () => {
  const config = await configOf('');
  // The clock went forward in the night before.
  const seven = Date.parse('2026-03-28T07:00:00+01:00');
  const points = [
    { from: seven - HOUR, until: seven, price: 0.2 },
    { from: seven, until: seven + HOUR, price: 0.5 },
  ];
  const tariff = tariffOf(config, new Zone('Europe/Berlin'), points);
  const sunday = Date.parse('2026-03-29T07:00:00+02:00');
  expect(tariff && meanPrice(tariff, sunday, sunday + HOUR)).toEqual({ dollarsPerKWh: 0.5, known: 1 });
});
