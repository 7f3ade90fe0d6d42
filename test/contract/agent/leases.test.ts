import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { TestEnv, TOKEN } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aNewJob } from '../../support/domain.ts';
import { faults } from '../../support/faults/http-proxy.ts';

/** How often the broker has been asked which jobs are held here. */
const renewals = (env: TestEnv): number =>
  env.proxy.calls.filter(
    ({ method, path, query }) => method === 'GET' && path.endsWith('/jobs/') && query.includes('status=2'),
  ).length;

/** The same engine, which cannot be asked what it is while `isUnreachable`. */
function unreachableWhile(runtime: Runtime, isUnreachable: () => boolean): Runtime {
  return withOther(runtime, {
    probe: async (signal) => {
      if (isUnreachable()) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is unreachable');
      return runtime.probe(signal);
    },
  });
}

/** Has one agent begin the job and end, and starts another to which the engine is unreachable until `comeBack`. */
async function restartWithoutEngine(env: TestEnv, between: () => void = () => undefined) {
  const first = await env.start({ slots: 1 });
  await env.until(() => expect(first.journal.uuidsIn('running')).toHaveLength(1));
  await first.stop();
  between();
  const before = renewals(env);
  let isUnreachable = true;
  const second = await env.start({
    slots: 1,
    runtime: () => unreachableWhile(first.runtime, () => isUnreachable),
  });
  return {
    second,
    engine: first.runtime,
    untilRenewed: (times: number) => env.time.passUntil(() => renewals(env) >= before + times),
    comeBack: () => void (isUnreachable = false),
  };
}

test('while the agent drains, a token that is replaced costs no lease', async () => {
  await using env = await TestEnv.open({ leaseSeconds: 3 });
  const heard = env.recordJobEvents();
  const gate = new Gate(env.directory);
  const run = env.addRun(GATED, gate.parameters(7));
  let isNew = false;
  await using agent = await env.start({
    slots: 1,
    reloadToken: async () => {
      const isAnother = !isNew;
      isNew = true;
      return Promise.resolve(isAnother);
    },
  });
  await env.untilEvent('job-started');
  const drained = agent.drain();
  // The old one is revoked, and the new one is in the file already.
  env.proxy.plan = () => (isNew ? undefined : faults.unauthorized);
  await env.time.pass(5_000);
  gate.open();
  await drained;
  expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '7' });
  expect(heard).toEqual(['claimed', 'reported']);
});

test('an engine that is unreachable at the start costs no lease, and the job is adopted once it is back', async () => {
  await using env = await TestEnv.open({ leaseSeconds: 3 });
  const heard = env.recordJobEvents();
  const gate = new Gate(env.directory);
  const run = env.addRun(GATED, gate.parameters());
  const { comeBack, second, untilRenewed } = await restartWithoutEngine(env);
  await using agent = second;
  // Longer than a lease lasts.
  await untilRenewed(5);
  expect(agent.journal.uuidsIn('running')).toHaveLength(1);
  comeBack();
  await env.untilEvent('job-adopted');
  gate.open();
  await env.untilDone(run);
  expect(heard).toEqual(['claimed', 'reported']);
  expect(env.count('job-started')).toBe(1);
  expect(env.count('job-adopted')).toBe(1);
});

test('a job that the broker takes back while the engine is unreachable at the start is stopped once that is back', async () => {
  await using env = await TestEnv.open({ leaseSeconds: 3 });
  const run = env.addRun(GATED, new Gate(env.directory).parameters());
  const { uuid } = env.jobOf(run);
  const takeBack = (): void => env.broker.store.deleteRun(run, { evenInProgress: true });
  const { comeBack, engine, second, untilRenewed } = await restartWithoutEngine(env, takeBack);
  await using agent = second;
  const before = env.proxy.calls.length;
  await untilRenewed(3);
  expect(agent.journal.get(uuid)?.state.name).toBe('running');
  comeBack();
  await env.until(() => expect(agent.journal.get(uuid)?.state.name).toBe('dropped'));
  expect(await engine.list()).toEqual([]);
  const changes = env.proxy.calls.slice(before).filter(({ method }) => method === 'PATCH');
  expect(changes.filter(({ path }) => path.includes(uuid))).toEqual([]);
});

test('a claimed job that never started goes back to the market, although the engine is unreachable at the start', async () => {
  await using env = await TestEnv.open();
  const first = await env.open();
  await first.run();
  await first.close();
  const heard = env.recordJobEvents();
  const run = env.addRun('function handler() { return 1 }', '((10,),)');
  const { uuid } = env.jobOf(run);
  const instance = env.broker.store.instances.all()[0]?.uuid ?? '';
  await using agent = await env.open({
    settings: { once: false },
    runtime: (_, processes) => unreachableWhile(processes, () => true),
  });
  // As an agent leaves it that is killed before the job's container is made.
  await fetch(`${env.url}/api/v1/jobs/${uuid}/`, {
    method: 'PATCH',
    headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance }),
  });
  agent.journal.insert({ ...aNewJob(), uuid, instance });
  agent.journal.transition(uuid, { name: 'claimed' });
  void agent.run();
  await env.until(() => expect(heard).toEqual(['claimed', 'released']));
});
