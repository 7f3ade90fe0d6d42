import type { Agent } from '../agent/agent.ts';
import type { OfferView, TargetView } from '../agent/owner/overview.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import type { Status, StatusJob, StatusTarget } from '../control-api/status-schema.ts';
import type { GpuSample } from '../domain/gpu-sample.ts';
import { CPU_TARGET } from '../domain/hold.ts';
import { earnings, JOB_STATUS, type JobRecord } from '../domain/job.ts';
import { parallelJobsOf } from '../domain/offer.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { DayCost } from '../domain/ports/job-sums.ts';
import type { PullStatus } from '../domain/pull-status.ts';
import type { Phase } from '../domain/signals.ts';
import { cut } from '../lib/cut.ts';
import { LIMITS } from '../limits.ts';
import { dollars } from '../pricing/money.ts';
import { holdAnswer } from './owner-routes.ts';
import { reasonOf, stateOf } from './status-state.ts';

export type StatusParts = {
  readonly agent: Pick<Agent, 'degraded' | 'overview' | 'problem'>;
  readonly phase: () => Phase;
  readonly pulls: () => readonly PullStatus[];
  readonly clock: Clock;
  readonly version: string;
  /** This host’s name. */
  readonly host: string;
  /** By the monotonic clock. */
  readonly startedAt: number;
};

/** What an owner sees of the running agent. */
export function statusRoute(parts: StatusParts): Route {
  return route(ENDPOINTS.status, async () => statusOf(parts));
}

/** The status now. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export function statusOf({ agent, clock, host, phase, pulls, startedAt, version }: StatusParts): Status {
  const at = clock.now();
  const since = midnightBefore(at);
  const { cost, ended, offers, pending, targets } = agent.overview.now(since);
  const shown = targets.map((target) => targetOf(target, at));
  const problem = problemOf(agent.problem());
  const facts = { phase: phase(), problem, offers: offers.map(offerOf), targets: shown };
  const sick = shown.find(({ hold }) => hold?.kind === 'safety');
  return {
    at,
    host,
    ...stateOf(facts),
    agent: { version, phase: facts.phase, upMs: Math.round(clock.monotonic() - startedAt) },
    reason: reasonOf(facts),
    problem:
      problem ??
      (sick?.hold ? { why: `${sick.name}: ${sick.hold.why}`, hint: sick.hold.hint } : undefined) ??
      problemOf(agent.degraded()),
    offers: facts.offers,
    targets: shown,
    pulls: pulls().map(({ secondsLeft, ...pull }) => ({ ...pull, secondsLeft: secondsLeft ?? null })),
    today: { since, ...ended, ...costOf(cost) },
    pending,
  };
}

/** When the day of this host's time zone began, in milliseconds of the wall clock. */
export function midnightBefore(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** A day's cost in US dollars. */
export function costOf({
  netMicroDollars,
  powerCostMicroDollars,
  unpricedJobs,
}: DayCost): Pick<Status['today'], 'net' | 'powerCost' | 'unpricedJobs'> {
  const orNull = (amount: number | null): number | null => (amount === null ? null : dollars(amount));
  return { powerCost: orNull(powerCostMicroDollars), net: orNull(netMicroDollars), unpricedJobs };
}

type Problem = { readonly why: string; readonly hint: string | undefined };

function problemOf(problem: Problem | undefined): Status['problem'] {
  if (problem === undefined) return null;
  return { why: short(problem.why), hint: problem.hint === undefined ? null : short(problem.hint) };
}

function offerOf({ offer, open, suspended, used }: OfferView): Status['offers'][number] {
  return {
    offer: offer.key,
    name: offer.name,
    askPrice: offer.askPrice,
    slots: offer.slots.length,
    used,
    open: Math.min(open, parallelJobsOf(offer)),
    onMarket: suspended === undefined,
    why: suspended === undefined ? null : short(suspended),
  };
}

function targetOf(view: TargetView, at: number): StatusTarget {
  const { gpu, hold, jobs, mode, name, sample, slots, target } = view;
  const slice = gpu?.slices.find(({ uuid }) => uuid === target);
  return {
    target,
    name,
    kind: target === CPU_TARGET ? 'cpu' : slice === undefined ? 'gpu' : 'slice',
    index: gpu?.index ?? null,
    model: gpu?.model ?? null,
    profile: slice?.profile ?? null,
    slots,
    mode,
    hold: hold === undefined ? null : holdAnswer(hold),
    jobs: jobs.map((job) => jobOf(job, at)),
    figures: sample === undefined ? null : figuresOf(sample),
  };
}

/** A job that has a slot, as the status shows it. Pure. */
export function jobOf({ askPrice, functionName, state, timeoutMs, uuid }: JobRecord, at: number): StatusJob {
  const startedAt = state.name === 'running' ? state.startedAt : undefined;
  const ranMs = startedAt === undefined ? null : Math.max(at - startedAt, 0);
  return {
    job: uuid,
    function: functionName,
    state: state.name,
    ranMs,
    earned: earnings(JOB_STATUS.SUCCEEDED, askPrice, ranMs ?? 0),
    askPrice,
    endsBy: startedAt === undefined ? null : startedAt + timeoutMs,
  };
}

function figuresOf(sample: GpuSample): StatusTarget['figures'] {
  return {
    at: sample.at,
    temperatureC: sample.temperatureC ?? null,
    powerW: sample.powerW ?? null,
    powerLimitW: sample.powerLimitW ?? null,
    memoryUsedMiB: sample.memoryUsedMiB ?? null,
    memoryTotalMiB: sample.memoryTotalMiB ?? null,
    utilizationPercent: sample.utilizationPercent ?? null,
    fanPercent: sample.fanPercent ?? null,
    throttle: sample.throttle,
    asleep: sample.asleep,
  };
}

function short(text: string): string {
  return cut(text, LIMITS.log.health.max);
}
