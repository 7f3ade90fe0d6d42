import { expect, test } from 'vitest';
import { z } from 'zod';
import { type StatusParts, statusOf } from '../../../src/control/status-route.ts';
import { STATUS } from '../../../src/control-api/status-schema.ts';
import { CPU_TARGET } from '../../../src/domain/hold.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { ADA } from '../../support/agent/owner.ts';
import { type TestAgent, TestEnv } from '../../support/agent/test-env.ts';
import { faults, isClaim, isJobChange } from '../../support/faults/http-proxy.ts';

const statusNow = ({ agent }: TestAgent, more: Partial<StatusParts> = {}) =>
  z.decode(
    STATUS,
    z.encode(
      STATUS,
      statusOf({
        agent,
        phase: () => 'working',
        pulls: () => [],
        clock: systemClock,
        version: '1.2.3',
        host: 'rig',
        startedAt: 0,
        ...more,
      }),
    ),
  );

test('the status follows a job from its start to its confirmed earnings', async () => {
  await using env = await TestEnv.open();
  const gate = new Gate(env.directory);
  await using agent = await env.start({ slots: 2 });
  await env.untilEvent('offer-registered');
  expect(statusNow(agent)).toMatchObject({ state: 'waiting', reason: null, problem: null });
  const run = env.addRun(GATED, gate.parameters());
  await env.untilEvent('job-started');
  const running = statusNow(agent);
  expect(running).toMatchObject({
    state: 'working',
    offers: [{ offer: 'cpu', slots: 2, used: 1, open: 2, onMarket: true }],
    targets: [
      { target: CPU_TARGET, kind: 'cpu', hold: null, jobs: [{ function: 'sample', state: 'running' }] },
    ],
    today: { jobs: { succeeded: 0 } },
  });
  gate.open();
  await env.untilDone(run);
  await env.untilEvent('report-delivered');
  const after = statusNow(agent);
  expect(after).toMatchObject({
    state: 'waiting',
    today: { jobs: { succeeded: 1 } },
    pending: { reports: 0 },
  });
  expect(after.today.earned).toBeGreaterThan(0);
});

test('a pause is the reason, with its end, while the job that runs goes on', async () => {
  await using env = await TestEnv.open();
  const gate = new Gate(env.directory);
  await using agent = await env.start({ slots: 1 });
  const run = env.addRun(GATED, gate.parameters());
  await env.untilEvent('job-started');
  const request = { names: [], minors: [], lasting: { kind: 'after', ms: 3_600_000 }, tag: '' } as const;
  await agent.agent.owner.pause(request, ADA);
  const paused = statusNow(agent);
  expect(paused).toMatchObject({ state: 'held', reason: { kind: 'manual', targets: [CPU_TARGET] } });
  expect(paused.reason?.until).toBeGreaterThan(paused.at);
  expect(paused.targets).toMatchObject([{ hold: { kind: 'manual' }, jobs: [{ function: 'sample' }] }]);
  gate.open();
  await env.untilDone(run);
});

test('a report that the broker does not take is pending, with what it should earn', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.start({ slots: 1 });
  env.proxy.plan = (call) => (isJobChange(call) && !isClaim(call) ? faults.serverError : undefined);
  const run = env.addRun(`function handler() { return 7 }`, '((),)');
  await env.untilEvent('job-ended');
  const { pending, today } = statusNow(agent);
  expect(pending).toMatchObject({ reports: 1, releases: 0 });
  expect(pending.earned).toBeGreaterThan(0);
  expect(today.earned).toBe(0);
  env.proxy.plan = () => undefined;
  await env.untilDone(run);
});

test('what keeps the host from claims is the reason and the problem', async () => {
  await using env = await TestEnv.open();
  const full = { name: 'disk', why: () => 'the disk is full' };
  await using agent = await env.start({ admissionChecks: [full] });
  await env.untilEvent('claiming-paused');
  expect(statusNow(agent)).toMatchObject({
    state: 'blocked',
    reason: { kind: 'safety', targets: [] },
  });
});
