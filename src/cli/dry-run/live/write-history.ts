import { earnings, JOB_STATUS, type JobState } from '../../../domain/job.ts';
import { jobEnergyOf, type PricedEnergy } from '../../../domain/job-energy.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import { machineId } from '../../../host/machine-id.ts';
import { openJournal } from '../../../journal/open-journal.ts';
import type { SqliteJournal } from '../../../journal/sqlite-journal.ts';
import { type Electricity, NO_PRICE } from '../../../pricing/electricity.ts';
import { pricedEnergy } from '../../../pricing/job-power.ts';
import { flatTariff } from '../../../pricing/tariff.ts';
import { openStateDir } from '../../../state-dir/state-dir.ts';
import type { Past, PastJob } from './history.ts';
import { LIVE_POWER_PRICE } from './samples.ts';

const STATUSES = {
  succeeded: JOB_STATUS.SUCCEEDED,
  failed: JOB_STATUS.FAILED,
  timeout: JOB_STATUS.TIMEOUT,
} as const;

/** Writes a made-up past into the journal of a new state directory. */
export function writeHistory(stateDir: string, brokerUrl: string, past: Past): void {
  const clock = new SetClock();
  const dir = openStateDir(stateDir);
  try {
    const journal = openJournal(dir, brokerUrl, clock, { machine: machineId(), sync: false });
    write(journal, clock, past);
    journal.close();
  } finally {
    dir.close();
  }
}

/** A clock that shows what it was set to. */
class SetClock implements Clock {
  at = 0;

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }
}

function write(journal: SqliteJournal, clock: SetClock, { jobs, rollups }: Past): void {
  journal.gpuRollups.add(rollups);
  const idle = new Map(jobs.flatMap(({ gpu, idleW }) => (gpu === null ? [] : [[gpu, idleW]])));
  const power = [...idle].map(([gpu, idleW]) => ({ gpu, idleW: [idleW], busyW: [] }));
  journal.energy.save({ at: clock.at, jobs: new Map(), idle: [], power });
  const steps = jobs.flatMap((job) => stepsOf(job).map((step) => ({ job, ...step })));
  for (const { at, job, state } of steps.sort((a, b) => a.at - b.at)) {
    clock.at = at;
    journal.energy.meterBy({ ended: () => energyOf(job) });
    if (state.name === 'claiming') journal.insert(job);
    else journal.transition(job.uuid, state);
  }
}

const ELECTRICITY: Electricity = { ...NO_PRICE, tariff: () => flatTariff(LIVE_POWER_PRICE) };

function energyOf({ endedAt, idleW, powerW, startedAt }: PastJob): PricedEnergy {
  const ms = endedAt - startedAt;
  const sum = { joules: (powerW * ms) / 1_000, idleJoules: (idleW * ms) / 1_000, coveredMs: ms };
  return pricedEnergy(jobEnergyOf(sum, ms, true), ELECTRICITY, endedAt);
}

/** Every change of a job's state, and when. */
function stepsOf(job: PastJob): readonly { readonly at: number; readonly state: JobState }[] {
  const { askPrice, end, endedAt, startedAt, uuid } = job;
  const container = `dry-run-${uuid.slice(0, 8)}`;
  const since = { boot: '', upMs: 0 };
  const begun = [
    { at: startedAt - 900, state: { name: 'claiming' } as const },
    { at: startedAt - 700, state: { name: 'claimed' } as const },
    { at: startedAt - 200, state: { name: 'starting', container, since } as const },
    { at: startedAt, state: { name: 'running', container, startedAt, since } as const },
  ];
  if (end === 'released') {
    const why = 'taken back by the owner';
    return [
      ...begun,
      { at: endedAt, state: { name: 'releasing', why } },
      { at: endedAt + 400, state: { name: 'released', why } },
    ];
  }
  const status = STATUSES[end];
  const durationMs = endedAt - startedAt;
  const report = {
    status,
    buildLogs: '',
    stdout: `what this job printed was not kept: the dry run has made it up\n`,
    stderr: end === 'failed' ? 'Error: shard 4: expected 1,024 tokens, got 1,019\n' : '',
    result: '',
  };
  return [
    ...begun,
    { at: endedAt, state: { name: 'finished', report, durationMs } },
    {
      at: endedAt + 400,
      state: { name: 'reported', status, durationMs, earned: earnings(status, askPrice, durationMs) },
    },
  ];
}
