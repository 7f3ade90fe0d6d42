import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { JOURNAL_FILE } from '../../../src/journal/open-journal.ts';
import { microDollars } from '../../../src/pricing/money.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { reconcile } from '../../support/cli/reconcile.ts';
import { faults } from '../../support/faults/http-proxy.ts';

const FUNCTION = 'function handler() { return 1 }';

/** Backs up the journal beside its agent, as docs/money.md says. */
function backUp(journal: string, to: string): void {
  const db = new DatabaseSync(journal, { readOnly: true });
  db.prepare('VACUUM INTO ?').run(to);
  db.close();
}

test('an agent on an older backup pays no job twice, and names what the broker has beyond it', async () => {
  await using env = await TestEnv.open();
  const journal = join(env.directory, 'state', JOURNAL_FILE);
  const backup = join(env.directory, 'backup.db');
  const booked = (run: string): number => microDollars(env.jobOf(run).cost ?? 0);
  const before = env.addRun(FUNCTION, '((),)');
  {
    await using agent = await env.start();
    await env.untilDone(before);
    await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(1));
    env.proxy.plan = (call) => (call.body.includes('"stdout"') ? faults.serverError : undefined);
    const pending = env.addRun(FUNCTION, '((),)');
    await env.until(() => expect(agent.journal.uuidsIn('finished')).toEqual([env.jobOf(pending).uuid]));
    backUp(journal, backup);
    env.proxy.plan = () => undefined;
    const after = env.addRun(FUNCTION, '((),)');
    for (const run of [pending, after]) await env.untilDone(run);
    await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(3));
    await agent.stop();

    for (const file of [journal, `${journal}-wal`, `${journal}-shm`]) await rm(file, { force: true });
    await copyFile(backup, journal);
    const later = env.addRun(FUNCTION, '((),)');
    await using restored = await env.open();
    await restored.run();

    const { exit, found } = await reconcile(env);
    const kept = booked(before) + booked(pending) + booked(later);
    expect(restored.journal.bookedJobs.total()).toBe(kept);
    expect(exit).toBe(1);
    expect(found).toMatchObject({
      jobs: 4,
      hereMicroDollars: kept,
      brokerMicroDollars: kept + booked(after),
      differences: [{ job: env.jobOf(after).uuid, kind: 'unknown-here', microDollars: booked(after) }],
      account: { ledgerMicroDollars: kept, unexplainedMicroDollars: 0 },
    });
    expect(env.jobOf(pending).cost).toBeGreaterThan(0);
  }
});
