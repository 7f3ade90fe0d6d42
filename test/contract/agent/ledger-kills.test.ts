import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { hasEnded } from '../../../src/embedded/broker/store/job-change.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { readJournal } from '../../../src/journal/open-journal.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { microDollars } from '../../../src/pricing/money.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { reconcile } from '../../support/cli/reconcile.ts';
import { faults, isJobChange } from '../../support/faults/http-proxy.ts';

const AGENT = fileURLToPath(new URL('../../support/agent/killable-agent.ts', import.meta.url));
const JOBS = 30;
const KILLS = 5;
const FUNCTION = `function handler([number]) {
  if (number % 7 === 3) throw new Error('number ' + number);
  return new Promise((resolve) => setTimeout(resolve, number % 10 === 5 ? 3000 : number * 7));
}`;

function start(env: TestEnv, ...more: readonly string[]): ChildProcess {
  const args = [AGENT, env.directory, env.url, env.proxy.url, ...more];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Jobs that are reported, claimed and released, as the broker hears of them. */
function changesOf(env: TestEnv): { count: number } {
  const changes = { count: 0 };
  env.broker.store.onEvent((event) => {
    if ('job' in event) changes.count += 1;
  });
  return changes;
}

function isOver(env: TestEnv): boolean {
  return env.broker.store.market.jobs.all().every(hasEnded);
}

/** Kills an agent a moment after the broker has heard of some jobs from it. */
async function killed(env: TestEnv, changes: { count: number }, random: SeededRandom): Promise<void> {
  const agent = start(env);
  const from = changes.count + Math.ceil(random.between(0, 6));
  // A fast agent may leave nothing to do for the last kills.
  await env.until(() => expect(changes.count >= from || isOver(env)).toBe(true));
  await pause(random.between(0, 60));
  agent.kill('SIGKILL');
  await once(agent, 'exit');
}

async function ledgerOf(env: TestEnv) {
  const journal = readJournal(join(env.directory, 'state'));
  if (journal === undefined) throw new Error('no journal');
  try {
    const query = { from: '2000-01-01', until: '2100-01-01', by: 'function' } as const;
    const { total } = await inSlices(journal.ledger.report(query));
    const jobs = journal.history(JOBS + 1);
    const days = await inSlices(journal.energy.days.between('2000-01-01', '2100-01-01'));
    return {
      total,
      jobs,
      energy: {
        jobs: days.jobs.reduce((all, day) => all + day.jobs, 0),
        unknown: jobs.filter(({ uuid }) => journal.energy.of(uuid) === undefined),
        open: [...journal.energy.open().keys()],
        ended: jobs.reduce((all, { uuid }) => all + endsIn(journal.events(uuid)), 0),
      },
    };
  } finally {
    journal.close();
  }
}

/** How often a job has stopped running, of all its claims. */
function endsIn(events: readonly { readonly state: string }[]): number {
  return events.filter(({ state }, index) => {
    const isEnd = state === 'finished' || state === 'releasing';
    return isEnd && events[index - 1]?.state === 'running';
  }).length;
}

test('the ledger is what the broker has booked, to the micro-dollar, over kills and lost answers', async () => {
  await using env = await TestEnv.open({ realTime: true });
  const random = new SeededRandom(16);
  env.proxy.plan = (call) => {
    if (!isJobChange(call)) return undefined;
    const chance = random.next();
    if (chance < 0.2) return faults.cutAfter;
    if (chance < 0.25) return faults.serverError;
    return chance < 0.3 ? faults.truncate : undefined;
  };
  const parameters = `(${Array.from({ length: JOBS }, (_, n) => `(${n},)`).join(', ')},)`;
  const run = env.addRun(FUNCTION, parameters);
  const changes = changesOf(env);
  for (let kills = 0; kills < KILLS; kills += 1) await killed(env, changes, random);
  const last = start(env, 'once');
  await once(last, 'exit');
  expect(last.exitCode).toBe(0);

  const booked: readonly JobRow[] = env.jobsOf(run);
  const { energy, jobs, total } = await ledgerOf(env);
  const statuses = new Set(booked.map(({ status }) => status));
  expect(statuses).toEqual(new Set([JOB_STATUS.SUCCEEDED, JOB_STATUS.FAILED, JOB_STATUS.TIMEOUT]));
  const paid = booked.filter(({ status }) => status !== JOB_STATUS.FAILED);
  const sum = booked.reduce((all, { cost }) => all + microDollars(cost ?? 0), 0);
  expect(total).toMatchObject({
    jobs: paid.length,
    confirmedMicroDollars: sum,
    pendingJobs: 0,
    pendingMicroDollars: 0,
  });
  expect(microDollars(env.broker.store.account()?.earned ?? 0)).toBe(sum);
  expect(jobs).toHaveLength(JOBS);
  expect(energy).toEqual({ jobs: energy.ended, ended: energy.ended, unknown: [], open: [] });
  expect(energy.ended).toBeGreaterThanOrEqual(JOBS);
  // Otherwise nothing shows that the broker’s figures count, and not those of this host.
  expect(paid.some(({ cost }) => cost !== null && !Number.isInteger(cost * 1e6))).toBe(true);
  expect(await reconcile(env)).toMatchObject({
    exit: 0,
    found: { agrees: true, jobs: JOBS, differences: [], account: { unexplainedMicroDollars: 0 } },
  });
});
