import { describe, expect, test } from 'vitest';
import { type GvisorFacts, unmetByGvisor } from '../../../src/domain/gvisor.ts';
import { planOffers } from '../../../src/domain/plan-offers.ts';
import { aGpu } from '../../support/domain.ts';

const KNOWN: GvisorFacts = { nvproxy: true, drivers: ['535.129.03', '550.54.14', '550.90.07'] };

describe('a GPU for jobs in gVisor', () => {
  test.each([
    [{ driver: '550.90.07', migMode: false }, KNOWN],
    [
      { driver: '999.1', migMode: false },
      { ...KNOWN, drivers: undefined },
    ],
    [
      { driver: '550.90.07', migMode: false },
      { ...KNOWN, nvproxy: undefined },
    ],
  ])('is fit: %j with %j', (gpu, facts) => {
    expect(unmetByGvisor(gpu, facts)).toBeUndefined();
  });

  test.each([
    ['without --nvproxy', { driver: '550.90.07', migMode: false }, { ...KNOWN, nvproxy: false }, /--nvproxy/],
    ['in MIG mode', { driver: '550.90.07', migMode: true }, KNOWN, /-mig 0/],
    [
      'with a driver of another release',
      { driver: '550.163.01', migMode: false },
      KNOWN,
      /\(550\.54\.14, 550\.90\.07;/,
    ],
    ['with a driver of another branch', { driver: '999.1', migMode: false }, KNOWN, /535\.129\.03/],
  ])('is not fit %s', (_, gpu, facts, hint) => {
    expect(unmetByGvisor(gpu, facts)?.hint).toMatch(hint);
  });

  test('is not offered where it is not fit; CPU jobs are', () => {
    const { offers, problems } = planOffers([aGpu()], [], {
      cpuSlots: 2,
      askPrice: 0.05,
      gpu: () => ({ askPrice: 0.05, catalogue: undefined, slots: 1 }),
      unsuitable: (gpu) => unmetByGvisor(gpu, { ...KNOWN, nvproxy: false }),
    });
    expect(offers.map(({ kind }) => kind)).toEqual(['cpu']);
    expect(problems.map(({ why }) => why)).toEqual([expect.stringContaining('--nvproxy')]);
  });
});
