import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { engineKey } from '../../../src/domain/engine-identity.ts';
import type { ImageDay, ImageRecords } from '../../../src/domain/ports/image-records.ts';
import { readJournal } from '../../../src/journal/open-journal.ts';
import { LIMITS } from '../../../src/limits.ts';
import { asEngine, ENGINE } from '../../support/agent/as-engine.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';

const AGENT = fileURLToPath(new URL('../../support/agent/killable-agent.ts', import.meta.url));
const QUICK = 'function handler(event) { return event[0] }';
const KEY = engineKey(ENGINE) ?? '';

/** What the journal of an agent that has ended knows of images. */
function recordsOf<T>(env: TestEnv, use: (images: ImageRecords) => T): T {
  const journal = readJournal(join(env.directory, 'state'));
  if (journal === undefined) throw new Error('no journal');
  try {
    return use(journal.images);
  } finally {
    journal.close();
  }
}

/** The counts of an image over all days: a test may run over midnight. */
function countsOf(env: TestEnv, ref = CPU_IMAGE) {
  const days = recordsOf(env, (images) => images.daysOf(ref, 0));
  const sum = (key: Exclude<keyof ImageDay, 'ref' | 'usedAt'>): number =>
    days.reduce((all, day) => all + day[key], 0);
  return {
    wanted: sum('wanted'),
    tries: sum('tries'),
    wins: sum('wins'),
    earned: sum('earnedMicroDollars'),
    isUsed: days.some(({ usedAt }) => usedAt !== undefined),
  };
}

test('what is known of images outlives a restart, and goes on', async () => {
  await using env = await TestEnv.open();
  const choices = { runtime: asEngine, settings: { once: false } };
  const first = env.addRun(QUICK, '((1,), (2,))');
  const before = await env.start(choices);
  await env.untilDone(first);
  await before.drain();
  await before.close();
  const counts = countsOf(env);
  expect(counts).toMatchObject({ wanted: 1, tries: 2, wins: 2, isUsed: true });
  expect(counts.earned).toBeGreaterThan(0);
  const [pull] = recordsOf(env, (images) => images.pulls(KEY));
  expect(pull).toMatchObject({ imageId: 'sha256:1', ref: CPU_IMAGE, removedAt: undefined });

  const second = env.addRun(QUICK, '((3,),)');
  const after = await env.start(choices);
  await env.untilDone(second);
  await after.drain();
  await after.close();
  expect(countsOf(env)).toMatchObject({ wanted: 2, tries: 3, wins: 3 });
  expect(recordsOf(env, (images) => images.pulls(KEY))).toHaveLength(1);
});

test('a job that an earlier agent began counts for its image', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun('function handler() { return new Promise((r) => setTimeout(r, 1500)) }', '((1,),)');
  const before = await env.start();
  await env.untilEvent('job-started');
  await before.stop();
  const counts = countsOf(env);
  expect(counts).toMatchObject({ wanted: 1, tries: 1, wins: 1, earned: 0 });
  const after = await env.start({ runtime: () => before.runtime });
  await env.untilDone(run);
  await after.drain();
  await after.close();
  expect(countsOf(env).earned).toBeGreaterThan(0);
  expect(countsOf(env).wins).toBe(1);
});

test('what was written outlives a kill, and the next agent adds to it', async () => {
  await using env = await TestEnv.open({ realTime: true });
  const start = (mode: 'once' | 'for ever') =>
    spawn(process.execPath, [AGENT, env.directory, env.url, env.proxy.url, mode, 'engine'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const first = env.addRun(QUICK, '((1,), (2,))');
  const agent = start('for ever');
  await env.untilDone(first);
  await env.until(() => expect(countsOf(env).wins).toBeGreaterThan(0));
  const written = countsOf(env);
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  expect(countsOf(env)).toEqual(written);
  const pulls = recordsOf(env, (images) => images.pulls(KEY));
  expect(pulls).toMatchObject([{ imageId: 'sha256:1', ref: CPU_IMAGE, removedAt: undefined }]);
  const second = env.addRun(QUICK, '((3,),)');
  await once(start('once'), 'exit');
  expect(env.jobOf(second).result).toBe('3');
  const after = countsOf(env);
  expect(after.wanted).toBe(written.wanted + 1);
  expect(after.wins).toBe(written.wins + 1);
  expect(after.earned).toBeGreaterThan(written.earned);
});

test('of a broker with many images little is remembered, and jobs are claimed all the while', async () => {
  await using env = await TestEnv.open();
  const { store } = env.broker;
  for (let n = 0; n < 2_000; n += 1) {
    const image = store.addImage({
      registryPath: `sharedcloud/n${n}:1`,
      requiresGpu: false,
      runtime: 'node24',
    });
    const fn = store.addFunction({ name: `n${n}`, code: QUICK, image });
    store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 0.4 });
  }
  const agent = await env.start();
  const run = env.addRun(QUICK, '((1,),)');
  await env.untilDone(run);
  await agent.drain();
  await agent.close();
  const days = recordsOf(env, (images) => images.days(0));
  expect(days.length).toBeLessThanOrEqual(2 * LIMITS.journal.imagesOfDay.max);
  expect(countsOf(env)).toMatchObject({ wanted: 1, wins: 1 });
});
