import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';

/** Takes SIGTERM for a failure of its own; tells when it does. */
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
  await using house = await openHouse();
  const ready = join(house.directory, 'ready');
  const run = house.addRun(STUBBORN, `(('${ready}',),)`);
  const settings = { once: false, jobTimeoutMs: 3_000 };
  const first = await house.open({ slots: 1, settings, journal: slowly });
  const running = first.agent.run();
  await vi.waitFor(() => expect(existsSync(ready)).toBe(true), 20_000);
  await first.agent.stop();
  await running;
  await first.close();

  const second = await house.open({ slots: 1, settings, runtime: () => first.runtime });
  const adopted = second.agent.run();
  const job = (): unknown => house.broker.store.jobsOf(run)[0];
  await vi.waitFor(() => expect(job()).not.toMatchObject({ status: JOB_STATUS.IN_PROGRESS }), 20_000);
  expect(job()).toMatchObject({ status: JOB_STATUS.TIMEOUT });
  await second.agent.stop();
  await adopted;
  await second.close();
});
