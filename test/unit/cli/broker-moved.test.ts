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

const say = (dir: string, ...more: readonly string[]) =>
  runLine(['broker-moved', '--state-dir', dir, '--broker-url', NEW, ...more], {}, [brokerMoved]);

/** A directory with two jobs of the old address that are not over. */
function owing(): string {
  const dir = scratchDir();
  withJournal(dir, (journal) => void ['a', 'b'].map((uuid) => journal.insert(newJob(uuid))), OLD);
  return dir;
}

test('unfinished jobs go over to the broker’s new address, once', async () => {
  const dir = owing();
  expect(agentErrorOf(() => withJournal(dir, () => undefined, NEW)).hint).toContain(
    'sharedcloud-agent broker-moved',
  );
  const first = await say(dir);
  expect(first).toEqual({
    exit: 0,
    stdout: '2 unfinished jobs of https://old.example/ went over to https://new.example/\n',
    stderr: '',
  });
  expect(withJournal(dir, (journal) => journal.uuidsIn('claiming'), NEW)).toEqual(['a', 'b']);
  expect((await say(dir)).stdout).toBe(`no unfinished job belongs to another broker than ${NEW}\n`);
});

test('as JSON', async () => {
  expect(JSON.parse((await say(owing(), '--json')).stdout)).toEqual({
    moves: [{ from: `${OLD}/`, to: `${NEW}/`, jobs: 2 }],
  });
});

test('not while an agent runs there, and not where nothing ever ran', async () => {
  const dir = owing();
  const held = openStateDir(dir);
  expect((await say(dir)).stderr).toContain('error STATE_DIR_IN_USE');
  held.close();
  const empty = scratchDir();
  expect((await say(empty)).exit).toBe(7);
  expect(readdirSync(empty)).toEqual([]);
});
