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
  barred: uuid === 'c' ? 'too dear' : undefined,
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
type Told = {
  readonly before: JobRow;
  readonly outcome: JobRow | string;
  readonly request: JobRequest;
  readonly by: Claimant;
  readonly now: number;
};

const anyStory = array(
  record({
    request: constantFrom(...REQUESTS),
    by: constantFrom(...CLAIMANTS),
    after: integer({ min: 0, max: 100_000 }),
  }),
  { maxLength: 12 },
);

/** A lifecycle from the beginning: each step with the row before it and what came of it. */
function tell(lifecycle: readonly Step[]): readonly Told[] {
  const told: Told[] = [];
  let before = CREATED;
  let now = 0;
  for (const { request, by, after } of lifecycle) {
    now += after;
    const outcome = tryChange(before, request, by, now);
    told.push({ before, outcome, request, by, now });
    if (typeof outcome !== 'string') before = outcome;
  }
  return told;
}

function isPaidRight(job: JobRow): boolean {
  if (!hasEnded(job)) return job.cost === null;
  const minutes = (durationMs(job) ?? 0) / 60_000;
  const paid = job.status === JOB_STATUS.FAILED ? 0 : (job.askPrice ?? 0) * minutes;
  return Math.abs((job.cost ?? Number.NaN) - paid) < 1e-9;
}

test.each<[string, (told: Told & { readonly outcome: JobRow }) => boolean]>([
  [
    'a job that has ended never changes again',
    ({ before, outcome }) => !hasEnded(before) || outcome === before,
  ],
  [
    'what was granted once is granted again, and changes nothing',
    ({ outcome, request, by, now }) => tryChange(outcome, request, by, now + 1) === outcome,
  ],
  [
    'nobody loses a job to a request of another',
    ({ before, outcome, by }) =>
      before.instance === null || before.instance === by.uuid || outcome === before,
  ],
  ['who is barred never gets a job', ({ outcome }) => outcome.instance !== 'c'],
  ['a cost comes with the end: ask x minutes, nothing for FAILED', ({ outcome }) => isPaidRight(outcome)],
])('whatever is asked in whatever order: %s', (_name, rule) => {
  const granted = ({ outcome, ...told }: Told) => (typeof outcome === 'string' ? [] : [{ ...told, outcome }]);
  const details = check(property(anyStory, (lifecycle) => tell(lifecycle).flatMap(granted).every(rule)));
  expect(defaultReportMessage(details)).toBeUndefined();
});

test('a clock that goes back makes a job last nothing, not less', () => {
  const [claimant] = CLAIMANTS;
  if (claimant === undefined) throw new Error('no claimant');
  const claimed = changeJob(CREATED, { kind: 'claim' }, claimant, 10_000);
  const ended = changeJob(claimed, report(JOB_STATUS.SUCCEEDED), claimant, 5000);
  expect([durationMs(ended), ended.cost]).toEqual([0, 0]);
});
