import { describe, expect, test } from 'vitest';
import { planRecovery, type RecoveryStep } from '../../../../src/agent/reconcile/recovery.ts';
import type { JobRecord, JobState } from '../../../../src/domain/job.ts';
import type { FoundContainer } from '../../../../src/domain/ports/runtime.ts';
import { aNewJob } from '../../../support/domain.ts';

const record = (state: JobState): JobRecord => ({ ...aNewJob(), state, claimedAt: 0, updatedAt: 0 });
const container = (state: FoundContainer['state']): FoundContainer => ({
  id: 'c1',
  job: 'job-1',
  state,
  startedAt: state === 'created' ? undefined : 5,
});
const kinds = (steps: readonly RecoveryStep[]): readonly string[] => steps.map(({ kind }) => kind);

const claiming = { name: 'claiming' } as const;
const claimed = { name: 'claimed' } as const;
const since = { boot: 'boot-1', upMs: 5 };
const starting = { name: 'starting', container: 'c1', since } as const;
const running = { name: 'running', container: 'c1', startedAt: 5, since } as const;
const cancelling = { name: 'cancelling', why: 'taken back' } as const;

describe('after a start', () => {
  test.each<[JobState, FoundContainer['state'] | 'none', readonly string[]]>([
    [claiming, 'none', ['release']],
    [claimed, 'none', ['release']],
    // Made, but the journal never came to say so: its spec was perhaps not compared yet, so it is not used.
    [claimed, 'created', ['remove', 'release']],
    [starting, 'created', ['adopt']],
    [starting, 'running', ['adopt']],
    [starting, 'exited', ['adopt']],
    [starting, 'none', ['release']],
    [running, 'running', ['adopt']],
    [running, 'exited', ['adopt']],
    [running, 'none', ['release']],
    [running, 'created', ['remove', 'release']],
    [cancelling, 'running', ['remove', 'end-cancel']],
    [cancelling, 'none', ['end-cancel']],
  ])('%j with its container %s: %j', (state, found, expected) => {
    expect(kinds(planRecovery([record(state)], found === 'none' ? [] : [container(found)]))).toEqual(
      expected,
    );
  });

  test('a container of no open job is removed', () => {
    expect(planRecovery([], [container('running')])).toMatchObject([{ kind: 'remove', container: 'c1' }]);
  });
});
