import { expect, test } from 'vitest';
import { Schedule } from '../../../src/domain/schedule/availability.ts';
import { Zone } from '../../../src/domain/schedule/zone.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';
import { rule } from '../../support/schedule/rules.ts';

const MINUTE = 60_000;
const QUICK = `function handler(event) { return event[0] }`;

/** A schedule that lets jobs run from so many minutes from now on, up to so many, and at no other time. */
function openFrom(from: number, to: number): Schedule {
  const clock = (minutes: number): string =>
    new Date(Date.now() + minutes * MINUTE).toISOString().slice(11, 16);
  return new Schedule([rule({ hours: `${clock(from)}-${clock(to)}`, available: true })], new Zone('UTC'));
}

const reasons = (env: TestEnv): readonly unknown[] =>
  env.events.map((event) => event.kind === 'run-skipped' && event.reason);

test('no job is claimed before the window opens, and then one is without any sign from the broker', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(QUICK, '((7,),)');
  const opensAt = Math.floor(Date.now() / MINUTE + 2) * MINUTE;
  await using agent = await env.start({ schedule: openFrom(2, 300) });
  await env.time.passUntil(() => env.count('job-claimed') > 0);
  const [job] = agent.journal.history(1);
  expect(job?.claimedAt).toBeGreaterThanOrEqual(opensAt);
  expect(job?.claimedAt).toBeLessThan(opensAt + MINUTE);
  await env.untilDone(run);
});

test('a job runs that is known to end before the window does, and not one of which nothing is known', async () => {
  await using env = await TestEnv.open();
  const { store } = env.broker;
  const image = store.addImage({ registryPath: CPU_IMAGE, requiresGpu: false, runtime: 'node24' });
  const [known, unknown] = ['known', 'unknown'].map((name) =>
    store.addFunction({ name, code: QUICK, image }),
  );
  const addRun = (fn = '') => store.addRun({ function: fn, parameters: '((7,),)', bidPrice: 0.5 });
  await using agent = await env.start({ settings: { jobTimeoutMs: 60 * MINUTE } });
  await env.untilDone(addRun(known));
  agent.agent.reschedule(openFrom(-5, 30));
  const other = addRun(unknown);
  await env.untilDone(addRun(known));
  await env.until(() => expect(reasons(env)).toContain('ends-after-window'));
  expect(env.jobOf(other).instance).toBeNull();
  agent.agent.reschedule(openFrom(-5, 300));
  await env.untilDone(other);
});
