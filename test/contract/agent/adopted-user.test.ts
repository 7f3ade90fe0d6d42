import { expect, test } from 'vitest';
import type { FoundContainer, Runtime } from '../../../src/domain/ports/runtime.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

test.each<[string, Partial<FoundContainer>, readonly number[]]>([
  ['the number that a job was created with', { neighbour: 1 }, [0, 2]],
  ['the first number, where it has none,', {}, [1, 2]],
])('%s is given to no other job after a restart', async (_, found, others) => {
  await using env = await TestEnv.open();
  const gate = new Gate(env.directory);
  const numbers: (number | undefined)[] = [];
  env.addRun(GATED, gate.parameters());
  const first = await env.start({ slots: 3 });
  await env.untilEvent('job-started');
  await first.stop();

  const runs = [env.addRun(GATED, gate.parameters()), env.addRun(GATED, gate.parameters())];
  const real = first.runtime;
  const runtime = (): Runtime =>
    withOther(real, {
      list: async () => (await real.list()).map((one) => ({ ...one, ...found })),
      create: (plan) => {
        if (runs.includes(plan.run)) numbers.push(plan.neighbour);
        return real.create(plan);
      },
    });
  await using _second = await env.start({ slots: 3, runtime });
  await env.until(() => expect(numbers.toSorted()).toEqual(others));
  gate.open();
  for (const run of runs) await env.untilDone(run);
});
