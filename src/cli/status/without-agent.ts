import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { costOf, jobOf, midnightBefore } from '../../control/status-route.ts';
import { stateOf } from '../../control/status-state.ts';
import type { Status, StatusTarget } from '../../control-api/status-schema.ts';
import { CPU_TARGET, type Hold, type Target, targetOf } from '../../domain/hold.ts';
import { type JobRecord, SLOT_STATES } from '../../domain/job.ts';
import { localDayOf } from '../../domain/local-day.ts';
import { ALL_TARGETS, type Decisions, decided, inForce, type Now } from '../../domain/owner-decisions.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { DayCost, DaySums } from '../../domain/ports/job-sums.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { checkReadable } from '../readable-state-dir.ts';

const START = 'start it: sudo systemctl start sharedcloud-agent, or sharedcloud-agent start';

/** What is known where no agent runs: the owner's decisions, today's earnings, and what the agent has left to do. */
export async function statusWithoutAgent(stateDir: string, clock: HostClock): Promise<Status> {
  const now: Now = { wall: clock.now(), boot: clock.bootTime() };
  const since = midnightBefore(now.wall);
  const known = await read(stateDir, since);
  const decisions = inForce(known.decisions, now);
  const targets = targetsOf(decisions, known.jobs, now);
  const everything = decided(decisions, ALL_TARGETS, undefined, now).hold;
  const held = targets.find(({ hold }) => hold !== null);
  const facts = { phase: undefined, problem: null, offers: [], targets };
  return {
    at: now.wall,
    host: hostname(),
    ...stateOf(facts),
    agent: null,
    reason:
      everything !== undefined
        ? { ...holdOf(everything), targets: [], names: [] }
        : held?.hold
          ? { ...held.hold, targets: [held.target], names: [held.name] }
          : null,
    problem: { why: `no agent runs on ${stateDir}`, hint: START },
    offers: [],
    targets,
    pulls: [],
    today: { since, ...known.ended, ...costOf(known.cost) },
    pending: known.pending,
  };
}

type Known = Pick<Status, 'pending'> & {
  readonly decisions: Decisions;
  readonly jobs: readonly JobRecord[];
  readonly ended: DaySums;
  readonly cost: DayCost;
};

const NOTHING: Known = {
  decisions: [],
  jobs: [],
  ended: { earned: 0, jobs: { succeeded: 0, failed: 0, timeout: 0, released: 0, cancelled: 0 } },
  cost: { powerCostMicroDollars: null, netMicroDollars: null, unpricedJobs: 0 },
  pending: { reports: 0, releases: 0, earned: 0 },
};

/** A host on which no agent has run yet has nothing. */
async function read(stateDir: string, since: number): Promise<Known> {
  if (!existsSync(stateDir)) return NOTHING;
  await checkReadable(stateDir);
  const journal = readJournal(stateDir);
  if (journal === undefined) return NOTHING;
  try {
    return {
      decisions: journal.decisions.load(),
      jobs: journal.inState(...SLOT_STATES),
      ended: journal.sums.since(since),
      cost: journal.sums.costOf(localDayOf(since)),
      pending: journal.sums.pending(),
    };
  } finally {
    journal.close();
  }
}

/** The targets that the journal names; which others this host has, only a running agent knows. */
function targetsOf(decisions: Decisions, jobs: readonly JobRecord[], now: Now): readonly StatusTarget[] {
  const named = decisions.map(({ target }) => target).filter((target) => target !== ALL_TARGETS);
  return [...new Set<Target>([...named, ...jobs.map(targetOf)])].map((target) => {
    const { hold, mode } = decided(decisions, target, undefined, now);
    return {
      target,
      name: target === CPU_TARGET ? 'CPU slots' : target,
      kind: target === CPU_TARGET ? 'cpu' : target.startsWith('MIG-') ? 'slice' : 'gpu',
      index: null,
      model: null,
      profile: null,
      slots: 0,
      mode,
      hold: hold === undefined ? null : holdOf(hold),
      jobs: jobs.filter((job) => targetOf(job) === target).map((job) => jobOf(job, now.wall)),
      figures: null,
    };
  });
}

function holdOf({ hint, kind, until, why }: Hold): NonNullable<StatusTarget['hold']> {
  return { kind, why, until: until ?? null, hint: hint ?? null };
}
