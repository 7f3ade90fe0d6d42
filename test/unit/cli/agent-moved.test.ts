import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentMoved } from '../../../src/cli/agent-moved/command.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { runLine } from '../../support/cli/run.ts';
import { newJob } from '../../support/journal/samples.ts';
import { BROKER, scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const run = (dir: string, ...more: readonly string[]) =>
  runLine(['agent-moved', '--state-dir', dir, '--broker-url', BROKER, ...more], {}, [agentMoved]);

/** A copy of a directory with an unfinished job. */
function copied(): string {
  const original = scratchDir();
  withJournal(original, (journal) => {
    journal.insert(newJob('a'));
    journal.rememberEngine({ id: 'a', dataRoot: '/data', endpoint: 'unix:///docker.sock' });
  });
  const copy = join(scratchDir(), 'copy');
  cpSync(original, copy, { recursive: true });
  return copy;
}

test('the jobs of a copy become this agent’s, whichever engine they were on', async () => {
  const dir = copied();
  expect(agentErrorOf(() => withJournal(dir, () => undefined)).code).toBe('STATE_DIR_COPIED');
  const { exit, stderr, stdout } = await run(dir);
  expect([exit, stderr]).toEqual([0, '']);
  expect(stdout).toContain('1 unfinished job');
  expect(withJournal(dir, (journal) => [journal.uuidsIn('claiming'), journal.engine()])).toEqual([
    ['a'],
    undefined,
  ]);
  expect(JSON.parse((await run(dir, '--json')).stdout)).toEqual({ jobs: 1 });
});

test('nothing changes while an agent runs, or where no agent ever ran', async () => {
  const dir = copied();
  const held = openStateDir(dir);
  expect((await run(dir)).stderr).toContain('error STATE_DIR_IN_USE');
  held.close();
  expect(agentErrorOf(() => withJournal(dir, () => undefined)).code).toBe('STATE_DIR_COPIED');
  const empty = scratchDir();
  expect((await run(empty)).exit).toBe(7);
  expect(readdirSync(empty)).toEqual([]);
});
