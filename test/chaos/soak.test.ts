import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { JobRecord } from '../../src/domain/job.ts';
import { microDollars } from '../../src/pricing/money.ts';
import { type ChaosEnv, openChaosEnv } from '../support/chaos/chaos-env.ts';
import { printFigures } from '../support/chaos/figures.ts';
import { amount, LONG, SEED } from '../support/chaos/length.ts';
import { NOTHING, orphansOf } from '../support/chaos/orphans.ts';
import { type Soaked, soak } from '../support/chaos/soak.ts';
import { SoakPlan, whatIsWrong } from '../support/chaos/soak-plan.ts';
import { describeDocker } from '../support/engine/docker.ts';

const SIZE = { jobs: amount('SOAK_JOBS', 30, 1_000), kills: amount('SOAK_KILLS', 10, 200) };
const MAX_SECONDS = LONG ? 2 : 1.5;
const SLOTS = LONG ? 5 : 3;
const LOG = resolve(import.meta.dirname, '../../.cache/chaos/soak-agents.txt');

describeDocker('agents that are killed at random moments, one after the other', (engine) => {
  test(`do each of ${SIZE.jobs} jobs once, report it once, leave nothing (CHAOS_SEED=${SEED})`, async () => {
    const began = performance.now();
    await using chaos = await openChaosEnv(
      engine,
      { SHAREDCLOUD_CPU_SLOTS: String(SLOTS) },
      { direct: true },
    );
    const soaked = await soak(chaos, new SoakPlan(SEED, MAX_SECONDS), SIZE, LOG);
    await chaos.watch.until(() => chaos.watch.leftOf(chaos.jobs).length === 0);
    const { agentId, confirmed, jobs } = chaos.readJournal();
    const left = await orphansOf(chaos, agentId);
    const doubled = chaos.jobs.filter((job) => chaos.watch.starts(job) > 1 || chaos.reports(job) > 1);
    const lost = [...soaked.jobs.keys()].flatMap((job) => whyLost(chaos, soaked, job));
    printFigures('soak', {
      jobs: soaked.jobs.size,
      kills: soaked.kills,
      stops: soaked.stops,
      lost: lost.length,
      doubled: doubled.length,
      leaked: Object.values(left).flat().length,
      adopted: soaked.adopted,
      slowestStopMs: soaked.slowestStopMs,
      seconds: Math.round((performance.now() - began) / 1_000),
      seed: SEED,
    });

    expect(lost).toEqual([]);
    expect(doubled).toEqual([]);
    expect(left).toEqual(NOTHING);
    expect(jobs.flatMap((record) => whyBooksDiffer(chaos, record))).toEqual([]);
    expect(jobs).toHaveLength(soaked.jobs.size);
    expect(confirmed).toBe(bookedFor(chaos));
    expect(confirmed).toBe(microDollars(chaos.store.account()?.earned ?? 0));
    expect(chaos.store.instances.all()).toHaveLength(1);
    // Otherwise it shows nothing: kills that no job has noticed.
    expect(soaked.kills).toBeGreaterThanOrEqual(SIZE.kills);
    expect(soaked.adopted).toBeGreaterThan(0);
  });
});

/** Nothing where the job was started and reported as what it is. */
function whyLost(chaos: ChaosEnv, { jobs }: Soaked, uuid: string): readonly string[] {
  const job = jobs.get(uuid);
  const row = chaos.store.job(uuid);
  if (job === undefined || row === undefined) return [`${uuid}: gone`];
  const starts = chaos.watch.starts(uuid);
  if (starts === 0 || chaos.reports(uuid) === 0) return [`${uuid}: started ${starts} times, not reported`];
  const wrong = whatIsWrong(job, row);
  return wrong === undefined ? [] : [`${uuid}: ${wrong}`];
}

/** Nothing where journal and broker say the same of a job. */
function whyBooksDiffer(chaos: ChaosEnv, { state, uuid }: JobRecord): readonly string[] {
  const row = chaos.store.job(uuid);
  if (state.name !== 'reported') return [`${uuid}: ${state.name} in the journal`];
  if (row?.status !== state.status) return [`${uuid}: ${state.status} here, ${row?.status} at the broker`];
  return row.cost === state.earned ? [] : [`${uuid}: earned ${state.earned} here, ${row.cost} at the broker`];
}

/** What the broker has booked, job by job, in micro-dollars. */
function bookedFor(chaos: ChaosEnv): number {
  return chaos.jobs.reduce((sum, job) => sum + microDollars(chaos.store.job(job)?.cost ?? 0), 0);
}
