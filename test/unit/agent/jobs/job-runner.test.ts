import { expect, test } from 'vitest';
import { DiskQuotaMonitor } from '../../../../src/agent/jobs/disk-quota.ts';
import { type JobEnd, JobRunner, type JobRunnerDeps } from '../../../../src/agent/jobs/job-runner.ts';
import { LiveOutputs } from '../../../../src/agent/jobs/live-outputs.ts';
import { OrphanContainers } from '../../../../src/agent/jobs/orphan-containers.ts';
import { SlotPool } from '../../../../src/agent/jobs/slot-pool.ts';
import { TrafficMonitor } from '../../../../src/agent/jobs/traffic-monitor.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { JOB_STATUS, type JobRecord } from '../../../../src/domain/job.ts';
import type { Runtime } from '../../../../src/domain/ports/runtime.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';
import { memoryMonitor } from '../../../support/agent/memory-monitor.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { aFunction, aNewJob } from '../../../support/domain.ts';
import { logInto } from '../../../support/log/log-into.ts';

const RECORD: JobRecord = { ...aNewJob(), state: { name: 'claimed' }, claimedAt: 0, updatedAt: 0 };
const SLOT = { id: RECORD.slot, gpu: RECORD.gpu };
/** Runs a job whose container cannot be created; answers what was seen when its end was reported, and afterwards. */
async function runUnstartable(failure: AgentError, more: Partial<JobRunnerDeps> = {}) {
  const pool = new SlotPool();
  const unused = (): never => {
    throw new Error('not used by a job without a container');
  };
  const runtime: Runtime = {
    images: { find: unused, prepare: unused },
    probe: unused,
    ping: () => Promise.resolve(),
    create: () => Promise.reject(failure),
    start: unused,
    follow: unused,
    wait: unused,
    stop: unused,
    remove: unused,
    list: () => Promise.resolve([]),
  };
  const clock = { now: () => 0, monotonic: () => 0, bootTime: () => ({ boot: 'boot-1', upMs: 0 }) };
  const steps: string[] = [];
  const step = (name: string) => (): void => void steps.push(name);
  const runner = new JobRunner({
    outputs: new LiveOutputs(),
    runtime,
    files: {
      layOut: () => Promise.resolve({ inputDir: '/in', env: {} }),
      output: unused,
      remove: () => Promise.resolve(),
      list: unused,
      tryWriting: unused,
    },
    journal: {
      transition: (_, state) => ({ ...RECORD, state }),
      networkUse: () => undefined,
      inState: () => [],
    },
    clock,
    random: () => 0,
    log: logInto([]),
    observe: () => undefined,
    reportPending: new Notifier(),
    returned: new Notifier(),
    orphanContainers: { has: () => false, remove: () => Promise.resolve(true) },
    detach: new AbortController().signal,
    unkillableAfterMs: 1_000,
    disk: new DiskQuotaMonitor({
      runtime,
      clock,
      diskSpace: () => undefined,
      diskLimitBytes: 1,
      minFreeBytes: 0,
    }),
    traffic: new TrafficMonitor({
      runtime,
      journal: { recordNetworkUse: unused },
      clock,
      log: logInto([]),
      trafficLimitBytes: undefined,
    }),
    gpus: {
      jobClaimed: step('claimed'),
      jobStarted: step('started'),
      jobEnded: step('ended'),
      slotVacated: () => Promise.resolve(step('vacated')()),
      hostFault: unused,
    },
    memory: memoryMonitor(),
    watchHalts: () => () => false,
    systemdReloadedAt: () => undefined,
    resources: () => ({ memoryBytes: 1, cpus: 1 }),
    networkFor: () => Promise.resolve('none'),
    failedSince: () => Promise.resolve(false),
    testContainer: () => Promise.resolve(false),
    blockImage: unused,
    ...more,
  });
  const slots = pool.add([SLOT], new Notifier());
  const seen: { end?: JobEnd; slotWasLeased?: boolean } = {};
  const input = { fn: aFunction(), code: '', args: '()' };
  runner.run({ record: RECORD, input }, pool.lease(SLOT), {
    laidOut: () => undefined,
    started: () => undefined,
    ended: (end) => {
      seen.end = end;
      seen.slotWasLeased = slots.busy;
    },
  });
  await runner.settled();
  return { ...seen, isLeased: slots.busy, steps, runner };
}

test('a job that cannot start here is released, and its end is reported before its slot is free', async () => {
  const { end, isLeased, runner, slotWasLeased, steps } = await runUnstartable(
    new AgentError('RUNTIME_FAILED', 'no such device'),
  );
  expect(end).toMatchObject({ hostFault: true, result: { kind: 'released' } });
  expect(slotWasLeased).toBe(true);
  expect(isLeased).toBe(false);
  expect(steps).toEqual(['claimed', 'ended', 'vacated']);
  expect(runner.lastRelease).toContain('no such device');
});

test('the outage of an engine is no fault of this host with the run', async () => {
  const failure = new AgentError('RUNTIME_UNAVAILABLE', 'no answer');
  const { end } = await runUnstartable(failure, { failedSince: () => Promise.resolve(true) });
  expect(end).toMatchObject({ hostFault: false, result: { kind: 'released' } });
});

test('a job that cannot start through its own fault is reported', async () => {
  const { end, runner } = await runUnstartable(new AgentError('FUNCTION_INVALID', 'no handler'));
  const report = { status: JOB_STATUS.FAILED };
  expect(end).toMatchObject({ hostFault: false, result: { kind: 'reported', report } });
  expect(runner.lastRelease).toBeUndefined();
});

test('a job whose journal entry cannot be changed is aborted, and its slot is free', async () => {
  const transition = (): never => {
    throw new AgentError('INTERNAL', 'not in this state');
  };
  const { end, isLeased } = await runUnstartable(new AgentError('RUNTIME_FAILED', 'no'), {
    journal: { transition, networkUse: () => undefined, inState: () => [] },
  });
  expect(end).toMatchObject({ hostFault: true, result: { kind: 'aborted' } });
  expect(isLeased).toBe(false);
});

test('a report goes to the broker although the journal cannot be read after it was written', async () => {
  let pending = 0;
  const reportPending = new Notifier();
  reportPending.subscribe(() => (pending += 1));
  const networkUse = (): never => {
    throw new Error('disk I/O error');
  };
  const { end, isLeased } = await runUnstartable(new AgentError('FUNCTION_INVALID', 'no handler'), {
    journal: { transition: (_, state) => ({ ...RECORD, state }), networkUse, inState: () => [] },
    reportPending,
  });
  expect(end).toMatchObject({ hostFault: false, result: { kind: 'reported' } });
  expect(pending).toBe(1);
  expect(isLeased).toBe(false);
});

test('a container whose starts hang, and that runs after its job has failed, is removed and not paid', async () => {
  await using time = new VirtualTime();
  const engine = { runs: false, removals: 0, isGone: false };
  const unanswered = (): Promise<never> =>
    Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'no answer in 60 s'));
  const created = { id: 'container-1', job: RECORD.uuid, state: 'created', startedAt: undefined } as const;
  const unused = (): never => {
    throw new Error('not used by a job that has not started');
  };
  const runtime: Runtime = {
    images: { find: unused, prepare: unused },
    probe: unused,
    ping: () => Promise.resolve(),
    create: () => Promise.resolve(created.id),
    start: unanswered,
    follow: unused,
    wait: unused,
    stop: unused,
    // Docker answers nothing about a container while it starts it.
    remove: () => {
      engine.removals += 1;
      engine.isGone = engine.runs;
      return engine.isGone ? Promise.resolve() : unanswered();
    },
    list: () => Promise.resolve([created]),
  };
  const detach = new AbortController();
  const deps = { runtime, clock: systemClock, random: () => 1, log: logInto([]), observe: () => undefined };
  const orphanContainers = new OrphanContainers({ ...deps, detach: detach.signal });
  const { end, isLeased } = await runUnstartable(new AgentError('INTERNAL', 'not used'), {
    runtime,
    orphanContainers,
    testContainer: () => Promise.resolve(true),
    blockImage: () => undefined,
  });
  const report = { status: JOB_STATUS.FAILED };
  expect(end).toMatchObject({ result: { kind: 'reported', report, durationMs: 0 } });
  expect(isLeased).toBe(false);
  await time.passUntil(() => orphanContainers.size === 1);
  engine.runs = true;
  const work = orphanContainers.work(detach.signal);
  await time.passUntil(() => engine.isGone);
  expect(engine.removals).toBeGreaterThan(1);
  detach.abort();
  await work;
});
