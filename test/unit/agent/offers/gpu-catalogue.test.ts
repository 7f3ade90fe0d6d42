import { describe, expect, test } from 'vitest';
import { GpuCatalogue } from '../../../../src/agent/offers/gpu-catalogue.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { CatalogueGpu } from '../../../../src/domain/gpu.ts';
import type { Listed } from '../../../../src/domain/ports/broker.ts';
import { listed } from '../../../support/domain.ts';
import { logInto } from '../../../support/log/log-into.ts';

const MINUTE = 60_000;
const never = new AbortController().signal;

const gpu = (uuid: string): CatalogueGpu => ({ uuid, name: uuid, codename: uuid, cudaCores: 1 });
const listOf = (...uuids: string[]): Listed<CatalogueGpu> => listed(uuids.map(gpu));

/** A catalogue that was heard once, at a broker whose answer a test may change. */
async function heard() {
  let now = 0;
  const broker = { answer: (): Promise<Listed<CatalogueGpu>> => Promise.resolve(listOf('t4')) };
  const asked: number[] = [];
  const log: string[] = [];
  const catalogue = new GpuCatalogue({
    broker: {
      gpus: () => {
        asked.push(now);
        return broker.answer();
      },
    },
    clock: { monotonic: () => now },
    random: () => 0.5,
    log: logInto(log),
  });
  await catalogue.fetch(never);
  return { catalogue, broker, asked, log, pass: (ms: number): void => void (now += ms), now: () => now };
}

describe('a run that names a GPU which is not in the catalogue', () => {
  test('has it asked for again, no sooner than ten minutes after the last time', async () => {
    const { asked, broker, catalogue, now, pass } = await heard();
    broker.answer = () => Promise.resolve(listOf('t4', 'new'));
    for (; now() < 30 * MINUTE; pass(1_000)) await catalogue.fetchAgain(never);
    expect(asked).toEqual([0, 10 * MINUTE, 20 * MINUTE]);
    expect([...catalogue.gpus.keys()]).toEqual(['t4', 'new']);
  });

  test('shares the call with others that ask meanwhile, and all hear of the answer', async () => {
    const { asked, catalogue, pass } = await heard();
    expect(await catalogue.fetchAgain(never)).toBe(false);
    pass(10 * MINUTE);
    expect(await Promise.all([1, 2, 3].map(() => catalogue.fetchAgain(never)))).toEqual([true, true, true]);
    expect(asked).toHaveLength(2);
  });

  test('does not ask an unreachable broker in a hot loop, and keeps what was known', async () => {
    const { asked, broker, catalogue, log, now, pass } = await heard();
    broker.answer = () => Promise.reject(new AgentError('BROKER_UNAVAILABLE', 'not now'));
    pass(10 * MINUTE);
    for (; now() < 20 * MINUTE; pass(100)) expect(await catalogue.fetchAgain(never)).toBe(false);
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.length).toBeLessThan(25);
    expect(catalogue.gpus.has('t4')).toBe(true);
    expect(log[0]).toContain('not now');
    broker.answer = () => Promise.resolve(listOf('new'));
    pass(MINUTE);
    expect(await catalogue.fetchAgain(never)).toBe(true);
  });
});

test('an invalid item of it is logged once', async () => {
  const { broker, catalogue, log } = await heard();
  broker.answer = () =>
    Promise.resolve(listed([gpu('t4')], { invalid: [{ uuid: 'g1', reason: 'cuda_cores: no number' }] }));
  await catalogue.fetch(never);
  await catalogue.fetch(never);
  expect(log).toHaveLength(1);
  expect(log[0]).toContain('"gpu":"g1","reason":"cuda_cores: no number"');
});
