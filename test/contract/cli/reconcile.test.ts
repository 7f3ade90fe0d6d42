import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { JOURNAL_FILE } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { reconcile, runReconcile } from '../../support/cli/reconcile.ts';
import { faults } from '../../support/faults/http-proxy.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { withJournal } from '../../support/journal/scratch.ts';

/** Has an agent do so many jobs, and ends it. */
async function worked(env: TestEnv, jobs: number): Promise<void> {
  const parameters = `(${Array.from({ length: jobs }, (_, n) => `(${n},)`).join(', ')},)`;
  env.addRun('function handler(event) { if (event[0] === 1) throw new Error(); return 1 }', parameters);
  await using agent = await env.open();
  await agent.run();
}

/** Changes the journal as a fault would. */
function inJournal(env: TestEnv, sql: string): void {
  const db = new DatabaseSync(join(env.directory, 'state', JOURNAL_FILE));
  db.exec(sql);
  db.close();
}

describe('earnings reconcile', () => {
  test('finds nothing where the ledger is as the broker has booked, also beside a running agent', async () => {
    await using env = await TestEnv.open({ leaseSeconds: 60 });
    await worked(env, 4);
    await using agent = await env.start();
    await env.untilEvent('offer-registered');
    const { exit, found } = await reconcile(env);
    const earned = Math.round((env.broker.store.account()?.earned ?? 0) * 1e6);
    expect(exit).toBe(0);
    expect(found).toMatchObject({
      agrees: true,
      jobs: 4,
      hereMicroDollars: earned,
      brokerMicroDollars: earned,
      differences: [],
      unreadable: 0,
      account: { balanceMicroDollars: earned, ledgerMicroDollars: earned, unexplainedMicroDollars: 0 },
    });
    expect(earned).toBeGreaterThan(0);
    expect(agent.journal.uuidsIn('reported')).toHaveLength(4);
  });

  test('leaves out what another broker has paid', async () => {
    await using env = await TestEnv.open();
    await worked(env, 3);
    const earned = Math.round((env.broker.store.account()?.earned ?? 0) * 1e6);
    const payAt = (journal: SqliteJournal): void => {
      journal.insert(newJob('elsewhere'));
      for (const name of ['claimed', 'starting', 'running', 'finished', 'reported'] as const)
        journal.transition('elsewhere', stateNamed(name));
    };
    withJournal(join(env.directory, 'state'), payAt, 'https://another.example/');
    const { exit, found } = await reconcile(env);
    expect(exit).toBe(0);
    expect(found).toMatchObject({
      agrees: true,
      jobs: 3,
      account: { balanceMicroDollars: earned, ledgerMicroDollars: earned, unexplainedMicroDollars: 0 },
    });
  });

  test('names each difference, and the sum of all is that of the books', async () => {
    await using env = await TestEnv.open();
    await worked(env, 6);
    const [amount = '', status = '', dropped = '', missing = ''] = env.broker.store.market.jobs
      .all()
      .filter((job) => job.status === 3)
      .map(({ uuid }) => uuid);
    inJournal(
      env,
      `UPDATE ledger_jobs SET micro_dollars = micro_dollars + 7 WHERE job = '${amount}';
       UPDATE jobs SET detail = json_set(detail, '$.status', 5) WHERE uuid = '${status}';
       UPDATE jobs SET state = 'dropped', detail = '{"name":"dropped","why":""}' WHERE uuid = '${dropped}';
       DELETE FROM jobs WHERE uuid = '${missing}';
       INSERT INTO jobs SELECT NULL, 'gone', broker, run, function_name, offer_key, instance, slot, gpu, ask_price, image,
         timeout_ms, state, detail, claimed_at, updated_at FROM jobs WHERE uuid = '${amount}';`,
    );
    const { exit, found } = await reconcile(env);
    expect(exit).toBe(1);
    expect(found.agrees).toBe(false);
    expect(Object.fromEntries(found.differences.map(({ job, kind }) => [job, kind]))).toEqual({
      [amount]: 'amount-differs',
      [status]: 'status-differs',
      [dropped]: 'status-differs',
      [missing]: 'unknown-here',
      gone: 'unknown-at-broker',
    });
    expect(found.differences.find(({ job }) => job === amount)?.microDollars).toBe(-7);
    const sum = found.differences.reduce((total, { microDollars }) => total + microDollars, 0);
    expect(found.brokerMicroDollars - found.hereMicroDollars).toBe(sum);
    const text = await runReconcile(env);
    expect(text.exit).toBe(1);
    expect(text.stdout).toMatch(/^unexplained: /m);
  });

  test('what the broker has not answered is pending, no fault, and no part of what is earned', async () => {
    await using env = await TestEnv.open();
    // The report arrives, and its answer does not.
    env.proxy.plan = (call) => (call.body.includes('"stdout"') ? faults.cutAfter : undefined);
    await using agent = await env.start();
    env.addRun('function handler() { return 1 }', '((),)');
    await env.until(() => expect(agent.journal.uuidsIn('finished')).toHaveLength(1));
    await env.until(() => expect(env.broker.store.account()?.earned).toBeGreaterThan(0));
    const booked = Math.round((env.broker.store.account()?.earned ?? 0) * 1e6);
    const { exit, found } = await reconcile(env);
    expect(exit).toBe(0);
    expect(found).toMatchObject({
      agrees: true,
      hereMicroDollars: 0,
      brokerMicroDollars: booked,
      differences: [{ kind: 'pending', microDollars: booked }],
      account: { ledgerMicroDollars: 0, unexplainedMicroDollars: 0 },
    });
  });

  test('what the account was paid for otherwise is unexplained, and what it has bought is not', async () => {
    await using env = await TestEnv.open();
    await worked(env, 1);
    env.broker.store.accounts.pay('buyer', 'provider', 2.5);
    env.broker.store.accounts.pay('provider', 'buyer', 1);
    const { exit, found } = await reconcile(env);
    expect([exit, found.agrees]).toEqual([0, true]);
    expect(found.account).toMatchObject({ spentMicroDollars: 1e6, unexplainedMicroDollars: 2.5e6 });
  });

  test('looks no further back than the journal keeps jobs', async () => {
    await using env = await TestEnv.open();
    await worked(env, 2);
    const jobs = env.broker.store.market.jobs.all();
    for (const job of jobs.slice(0, 1))
      env.broker.store.market.jobs.replace({ ...job, finishedAt: Date.now() - 40 * 86_400_000 });
    inJournal(env, `DELETE FROM jobs WHERE uuid = '${jobs[0]?.uuid ?? ''}'`);
    const { exit, found } = await reconcile(env);
    expect(exit).toBe(0);
    expect(found).toMatchObject({ jobs: 1, differences: [] });
  });

  test('renews no lease of an agent that is gone', async () => {
    await using env = await TestEnv.open();
    await worked(env, 1);
    const before = env.broker.store.instances.all().map(({ lastConnection }) => lastConnection);
    await reconcile(env);
    expect(env.broker.store.instances.all().map(({ lastConnection }) => lastConnection)).toEqual(before);
  });

  test('changes no journal', async () => {
    await using env = await TestEnv.open();
    await worked(env, 2);
    const version = (): unknown => {
      const db = new DatabaseSync(join(env.directory, 'state', JOURNAL_FILE), { readOnly: true });
      const rows = db
        .prepare('SELECT (SELECT count(*) FROM job_history) AS history, total_changes() AS changes')
        .all();
      db.close();
      return rows;
    };
    const before = version();
    await reconcile(env);
    expect(version()).toEqual(before);
  });

  test.each([
    ['a refused token', { token: 'another-token' }, 3],
    ['no journal', { stateDir: 'empty' }, 7],
  ])('ends with %s', async (_, files, exit) => {
    await using env = await TestEnv.open();
    await worked(env, 1);
    expect(await runReconcile(env, [], files)).toMatchObject({ exit, stdout: '' });
  });
});
