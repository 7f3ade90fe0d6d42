import { expect, test } from 'vitest';
import { GpuCordons } from '../../../../src/agent/gpu-health/cordons.ts';
import { GpuTests } from '../../../../src/agent/gpu-health/gpu-tests.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';

const [A, B] = ['GPU-a', 'GPU-b'];
const refused = new AgentError('GPU_INJECTION_FAILED', 'no such device', { hint: 'write the CDI spec' });

/** Tests whose outcome is as `broken` says. */
function openTests(broken: Set<string>) {
  const market = new AbortController();
  const tested: string[] = [];
  const reported: string[] = [];
  const cordons = new GpuCordons(
    (event) => void ('gpu' in event && reported.push(`${event.kind} ${event.gpu?.uuid}`)),
    () => undefined,
  );
  const tests = new GpuTests({
    test: async (gpu) => {
      tested.push(gpu);
      if (broken.has(gpu)) throw refused;
      return true;
    },
    cordons,
    random: () => 1,
    market: market.signal,
  });
  return { cordons, market, reported, tested, tests };
}

test('a GPU is cordoned until its test container has passed, without a word where it does', async () => {
  const { cordons, reported, tested, tests } = openTests(new Set());
  const admitted = tests.admit([A, B], true);
  expect([...cordons.uuids]).toEqual([A, B]);
  expect(await admitted).toBeUndefined();
  await expect.poll(() => cordons.uuids.size).toBe(0);
  expect(tested).toEqual([A, B]);
  expect(reported).toEqual([]);
  // It is known now, as is every later offer with it.
  await tests.admit([A], true);
  expect(tested).toHaveLength(2);
});

test('one GPU that fails stays cordoned, with what to do, and keeps no other from the market', async () => {
  await using time = new VirtualTime();
  const broken = new Set([A]);
  const { cordons, market, reported, tests } = openTests(broken);
  expect(await tests.admit([A, B], true)).toBeUndefined();
  await expect.poll(() => reported).toEqual([`gpu-cordoned ${A}`]);
  expect(cordons.problem).toMatchObject({ hint: 'write the CDI spec' });
  broken.clear();
  await time.passUntil(() => cordons.uuids.size === 0);
  expect(reported).toEqual([`gpu-cordoned ${A}`, `gpu-uncordoned ${A}`]);
  market.abort();
});

test('GPUs that all fail are waited for, or named where nothing may be waited for', async () => {
  await using time = new VirtualTime();
  const broken = new Set([A, B]);
  const waiting = openTests(broken);
  let isAdmitted = false;
  const admitted = waiting.tests.admit([A, B], true).then(() => (isAdmitted = true));
  await time.passUntil(() => waiting.tested.length > 3);
  expect(isAdmitted).toBe(false);
  broken.delete(B);
  await admitted;
  waiting.market.abort();
  broken.add(B);
  const once = openTests(broken);
  expect(await once.tests.admit([A, B], false)).toBe(refused);
  once.market.abort();
});

test('a GPU that could not be given to a job is tested again before it gets another', async () => {
  const { cordons, reported, tested, tests } = openTests(new Set());
  await tests.admit([A], true);
  tests.failed(A, refused);
  tests.failed(A, refused);
  expect([...cordons.uuids]).toEqual([A]);
  await expect.poll(() => cordons.uuids.size).toBe(0);
  expect(tested).toEqual([A, A]);
  expect(reported).toEqual([`gpu-cordoned ${A}`, `gpu-uncordoned ${A}`]);
});
