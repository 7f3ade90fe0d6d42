import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

/** Takes SIGTERM for a failure of its own; says when it does. */
const STUBBORN = `function handler([ready]) {
  process.on('SIGTERM', () => process.exit(1));
  require('node:fs').writeFileSync(ready, '');
  return new Promise(() => setInterval(() => 0, 1000));
}`;

/** A journal in which starts took a minute, and that could not write that they are over. */
const slowly = (journal: Journal): Journal =>
  withOther(journal, {
    transition: (uuid, state) => {
      if (state.name === 'running') throw new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
      if (state.name !== 'starting') return journal.transition(uuid, state);
      const { boot, upMs } = state.since;
      return journal.transition(uuid, { ...state, since: { boot, upMs: upMs - 60_000 } });
    },
  });

test('the time of a job that an agent did not see start does not count from before its start', async () => {
  await using env = await TestEnv.open();
  const ready = join(env.directory, 'ready');
  const run = env.addRun(STUBBORN, `(('${ready}',),)`);
  const settings = { jobTimeoutMs: 3_000 };
  const first = await env.start({ slots: 1, settings, journal: slowly });
  await env.until(() => expect(existsSync(ready)).toBe(true));
  await first.stop();

  await using _second = await env.start({ slots: 1, settings, runtime: () => first.runtime });
  await env.time.passUntil(() => env.jobOf(run).status !== JOB_STATUS.IN_PROGRESS);
  expect(env.jobOf(run).status).toBe(JOB_STATUS.TIMEOUT);
});
