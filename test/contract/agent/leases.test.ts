import { expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { type House, type OpenedAgent, openHouse, TOKEN } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aNewJob } from '../../support/domain.ts';
import { faults, HttpProxy } from '../../support/faults/http-proxy.ts';

const LONG = `function handler(event) { return new Promise((done) => setTimeout(() => done(event[0]), event[0])) }`;

/** What happened to jobs at the broker, in order. */
function heardBy(house: House): string[] {
  const kinds: string[] = [];
  house.broker.store.onEvent((event) => {
    if ('job' in event) kinds.push(event.kind);
  });
  return kinds;
}

const kindsOf = (house: House) => house.events.map(({ kind }) => kind);
const until = (check: () => void, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 20 });

/** How often the front has been asked what is held here. */
const renewals = (front: HttpProxy) =>
  front.calls.filter(
    ({ method, path, query }) => method === 'GET' && path.endsWith('/jobs/') && query.includes('status=2'),
  ).length;

/** The same engine, of which nobody can say that it is there while `isAway`. */
function awayWhile(runtime: Runtime, isAway: () => boolean): Runtime {
  return withOther(runtime, {
    probe: async (signal) => {
      if (isAway()) throw new AgentError('RUNTIME_UNAVAILABLE', 'the engine is away');
      return runtime.probe(signal);
    },
  });
}

/** Ends an agent and leaves its jobs running. */
async function stopped(opened: OpenedAgent, running: Promise<void>): Promise<void> {
  await opened.agent.stop();
  await running;
  await opened.close();
}

/** Has an agent begin the one job and end, and opens another to which the engine is away until it is told to come back. */
async function openAgain(house: House, front: HttpProxy) {
  const settings = { once: false };
  const first = await house.open({ slots: 1, settings });
  const running = first.agent.run();
  await until(() => expect(first.journal.uuidsIn('running')).toHaveLength(1));
  await stopped(first, running);
  let isAway = true;
  const second = await house.open({
    url: front.url,
    slots: 1,
    settings,
    runtime: () => awayWhile(first.runtime, () => isAway),
  });
  return { second, engine: first.runtime, comeBack: () => void (isAway = false) };
}

test('while the agent drains, a token that is replaced costs no lease', async () => {
  await using house = await openHouse({ leaseSeconds: 3 });
  const heard = heardBy(house);
  const run = house.addRun(LONG, '((5000,),)');
  let isNew = false;
  await using front = await HttpProxy.open(house.url);
  const opened = await house.open({
    url: front.url,
    slots: 1,
    settings: { once: false },
    reloadToken: async () => {
      const isAnother = !isNew;
      isNew = true;
      return Promise.resolve(isAnother);
    },
  });
  const running = opened.agent.run();
  await until(() => expect(kindsOf(house)).toContain('job-started'));
  const drained = opened.agent.drain();
  // The old one is revoked, and the new one lies in the file already.
  front.plan = () => (isNew ? undefined : faults.unauthorized);
  await drained;
  await running;
  expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5000' });
  expect(heard).toEqual(['claimed', 'reported']);
  await opened.close();
});

test('an engine that is away at the start costs no lease; the job is carried on once it is back', async () => {
  await using house = await openHouse({ leaseSeconds: 3 });
  const heard = heardBy(house);
  const run = house.addRun(LONG, '((5000,),)');
  await using front = await HttpProxy.open(house.url);
  const { comeBack, second } = await openAgain(house, front);
  const secondRuns = second.agent.run();
  // Further than a lease goes.
  await until(() => expect(renewals(front)).toBeGreaterThan(4));
  expect(second.journal.uuidsIn('running')).toHaveLength(1);
  comeBack();
  await until(() => expect(house.broker.store.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED), 40_000);
  expect(heard).toEqual(['claimed', 'reported']);
  expect(kindsOf(house).filter((kind) => kind === 'job-started')).toHaveLength(1);
  expect(kindsOf(house).filter((kind) => kind === 'job-adopted')).toHaveLength(1);
  await stopped(second, secondRuns);
});

test('a job that the broker takes back while the engine is away at the start is stopped once that is back', async () => {
  await using house = await openHouse({ leaseSeconds: 3 });
  const run = house.addRun(LONG, '((60000,),)');
  const uuid = house.broker.store.jobsOf(run)[0]?.uuid ?? '';
  await using front = await HttpProxy.open(house.url);
  const { comeBack, engine, second } = await openAgain(house, front);
  house.broker.store.deleteRun(run, { evenInProgress: true });
  const secondRuns = second.agent.run();
  await until(() => expect(renewals(front)).toBeGreaterThan(2));
  expect(second.journal.get(uuid)?.state.name).toBe('running');
  comeBack();
  await until(() => expect(second.journal.get(uuid)?.state.name).toBe('dropped'), 40_000);
  expect(await engine.list()).toEqual([]);
  expect(front.calls.filter(({ method, path }) => method === 'PATCH' && path.includes(uuid))).toEqual([]);
  await stopped(second, secondRuns);
});

test('a claimed job that never started goes back to the market, although the engine is away at the start', async () => {
  await using house = await openHouse();
  const first = await house.open();
  await first.agent.run();
  await first.close();
  const heard = heardBy(house);
  const run = house.addRun(LONG, '((10,),)');
  const uuid = house.broker.store.jobsOf(run)[0]?.uuid ?? '';
  const instance = house.broker.store.instances.all()[0]?.uuid ?? '';
  const opened = await house.open({
    settings: { once: false },
    runtime: (_, processes) => awayWhile(processes, () => true),
  });
  // As an agent leaves it that is killed before the job's container is made.
  await fetch(`${house.url}/api/v1/jobs/${uuid}/`, {
    method: 'PATCH',
    headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance }),
  });
  opened.journal.insert({ ...aNewJob(), uuid, instance });
  opened.journal.transition(uuid, { name: 'claimed' });
  const running = opened.agent.run();
  await until(() => expect(heard).toEqual(['claimed', 'released']));
  await stopped(opened, running);
});
