import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { brokerMoved } from '../../../src/cli/broker-moved/command.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { runLine } from '../../support/cli/run.ts';
import { newJob } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const OLD = 'https://old.example';
const NEW = 'https://new.example';

const run = (dir: string, ...more: readonly string[]) =>
  runLine(['broker-moved', '--state-dir', dir, '--broker-url', NEW, ...more], {}, [brokerMoved]);

/** A directory with two unfinished jobs of the broker's old URL. */
function unfinished(): string {
  const dir = scratchDir();
  withJournal(dir, (journal) => void ['a', 'b'].map((uuid) => journal.insert(newJob(uuid))), OLD);
  return dir;
}

test('unfinished jobs move to the broker’s new URL, once', async () => {
  const dir = unfinished();
  expect(agentErrorOf(() => withJournal(dir, () => undefined, NEW)).hint).toContain(
    'sharedcloud-agent broker-moved',
  );
  const first = await run(dir);
  expect([first.exit, first.stderr]).toEqual([0, '']);
  expect(first.stdout).toMatch(/2 .*https:\/\/old\.example\/ .*https:\/\/new\.example\//);
  expect(withJournal(dir, (journal) => journal.uuidsIn('claiming'), NEW)).toEqual(['a', 'b']);
  expect(JSON.parse((await run(dir, '--json')).stdout)).toEqual({ moves: [] });
});

test('the moves are printed as JSON', async () => {
  expect(JSON.parse((await run(unfinished(), '--json')).stdout)).toEqual({
    moves: [{ from: `${OLD}/`, to: `${NEW}/`, jobs: 2 }],
  });
});

test('nothing moves while an agent runs, or where no agent ever ran', async () => {
  const dir = unfinished();
  const held = openStateDir(dir);
  expect((await run(dir)).stderr).toContain('error STATE_DIR_IN_USE');
  held.close();
  const empty = scratchDir();
  const { exit, stderr } = await run(empty);
  expect(exit).toBe(7);
  expect(stderr).toContain('--state-dir');
  expect(stderr).not.toContain('start the agent');
  expect(readdirSync(empty)).toEqual([]);
});
