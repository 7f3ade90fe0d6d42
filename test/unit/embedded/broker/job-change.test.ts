import { array, check, constantFrom, defaultReportMessage, integer, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { type FinalStatus, JOB_STATUS } from '../../../../src/domain/job.ts';
import {
  type Claimant,
  changeJob,
  durationMs,
  hasEnded,
  type JobRequest,
} from '../../../../src/embedded/broker/store/job-change.ts';
import { Refusal } from '../../../../src/embedded/broker/store/refusal.ts';
import type { JobRow } from '../../../../src/embedded/broker/store/rows.ts';

const CREATED: JobRow = {
  uuid: 'job',
  run: 'run',
  functionName: 'hello',
  incrementalId: 1,
  arguments: '(1,)',
  status: JOB_STATUS.CREATED,
  instance: null,
  askPrice: null,
  createdAt: 0,
  assignedAt: null,
  finishedAt: null,
  cost: null,
  buildLogs: '',
  stdout: '',
  stderr: '',
  result: '',
};

const report = (status: FinalStatus): JobRequest => ({
  kind: 'report',
  report: { status, buildLogs: '', stdout: '', stderr: '', result: '' },
});
const REQUESTS: readonly JobRequest[] = [
  { kind: 'claim' },
  { kind: 'release' },
  report(JOB_STATUS.SUCCEEDED),
  report(JOB_STATUS.FAILED),
  report(JOB_STATUS.TIMEOUT),
];
const CLAIMANTS: readonly Claimant[] = ['a', 'b', 'c'].map((uuid, index) => ({
  uuid,
  askPrice: 0.1 * (index + 1),
  ineligible: uuid === 'c' ? 'too expensive' : undefined,
}));

/** The row after the request, or the kind of refusal. */
function tryChange(job: JobRow, request: JobRequest, by: Claimant, now: number): JobRow | string {
  try {
    return changeJob(job, request, by, now);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.kind;
    throw thrown;
  }
}

type Step = { readonly request: JobRequest; readonly by: Claimant; readonly after: number };
type Outcome = {
  readonly before: JobRow;
  readonly outcome: JobRow | string;
  readonly request: JobRequest;
  readonly by: Claimant;
  readonly now: number;
};

const anySteps = array(
  record({
    request: constantFrom(...REQUESTS),
    by: constantFrom(...CLAIMANTS),
    after: integer({ min: 0, max: 100_000 }),
  }),
  { maxLength: 12 },
);

/** Applies the steps to a new job; each outcome has the row before it. */
function apply(steps: readonly Step[]): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  let before = CREATED;
  let now = 0;
  for (const { request, by, after } of steps) {
    now += after;
    const outcome = tryChange(before, request, by, now);
    outcomes.push({ before, outcome, request, by, now });
    if (typeof outcome !== 'string') before = outcome;
  }
  return outcomes;
}

function isCostRight(job: JobRow): boolean {
  if (!hasEnded(job)) return job.cost === null;
  const minutes = (durationMs(job) ?? 0) / 60_000;
  const paid = job.status === JOB_STATUS.FAILED ? 0 : (job.askPrice ?? 0) * minutes;
  return Math.abs((job.cost ?? Number.NaN) - paid) < 1e-9;
}

test.each<[string, (one: Outcome & { readonly outcome: JobRow }) => boolean]>([
  ['a job that has ended never changes', ({ before, outcome }) => !hasEnded(before) || outcome === before],
  [
    'a repeated request succeeds and changes nothing',
    ({ outcome, request, by, now }) => tryChange(outcome, request, by, now + 1) === outcome,
  ],
  [
    'no instance loses a job to another',
    ({ before, outcome, by }) =>
      before.instance === null || before.instance === by.uuid || outcome === before,
  ],
  ['an ineligible instance never gets a job', ({ outcome }) => outcome.instance !== 'c'],
  ['the cost of an ended job is ask x minutes, or 0 for FAILED', ({ outcome }) => isCostRight(outcome)],
])('for any requests in any order: %s', (_name, rule) => {
  const accepted = ({ outcome, ...one }: Outcome) =>
    typeof outcome === 'string' ? [] : [{ ...one, outcome }];
  const details = check(property(anySteps, (steps) => apply(steps).flatMap(accepted).every(rule)));
  expect(defaultReportMessage(details)).toBeUndefined();
});

test('a job has a duration of 0 if the clock is set back', () => {
  const [claimant] = CLAIMANTS;
  if (claimant === undefined) throw new Error('no claimant');
  const claimed = changeJob(CREATED, { kind: 'claim' }, claimant, 10_000);
  const ended = changeJob(claimed, report(JOB_STATUS.SUCCEEDED), claimant, 5000);
  expect([durationMs(ended), ended.cost]).toEqual([0, 0]);
});
