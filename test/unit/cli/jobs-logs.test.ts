import { expect, test } from 'vitest';
import type { JobState } from '../../../src/domain/job.ts';
import { LIMITS } from '../../../src/limits.ts';
import { runLine } from '../../support/cli/run.ts';
import { aNewJob } from '../../support/domain.ts';
import { prune } from '../../support/journal/prune.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

const since = { boot: '', upMs: 0 };
const finished = (stdout: string, stderr = ''): JobState => ({
  name: 'finished',
  durationMs: 1,
  report: { status: 3, buildLogs: '', stdout, stderr, result: '' },
});
const REPORTED: JobState = { name: 'reported', status: 3, durationMs: 1, earned: 0.1 };

function journalWith(...states: readonly JobState[]): string {
  const directory = scratchDir();
  withJournal(directory, (journal) => {
    journal.insert(aNewJob({ uuid: 'abcdef-1' }));
    for (const state of [{ name: 'claimed' } as const, ...states]) journal.transition('abcdef-1', state);
  });
  return directory;
}
const logs = (directory: string, id = 'abcd', ...more: readonly string[]) =>
  runLine(['jobs', 'logs', id, '--state-dir', directory, ...more]);

test('the end of what a job has printed is kept after its report was accepted', async () => {
  const directory = journalWith(finished('out\n', 'err\n'), REPORTED);
  expect(await logs(directory)).toEqual({ exit: 0, stdout: 'out\n', stderr: 'err\n' });
  const lines = (await logs(directory, 'abcdef-1', '--json')).stdout.trim().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { job: 'abcdef-1', state: 'ended', stream: 'stdout', text: 'out\n' },
    { job: 'abcdef-1', state: 'ended', stream: 'stderr', text: 'err\n' },
  ]);
});

test('a buyer cannot control the terminal', async () => {
  const { stderr, stdout } = await logs(journalWith(finished('\u001b[2J\ta\r\u202e\n', '\u009b1m\n')));
  expect(stdout.replace(/[\n\t]/g, '') + stderr.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a running job without an agent is shown by the engine, and of a released one nothing is kept', async () => {
  const running = await logs(journalWith({ name: 'starting', container: 'c0ffee', since }));
  expect(running).toMatchObject({ exit: 1, stdout: '' });
  expect(running.stderr).toContain('docker logs c0ffee');
  const released = await logs(journalWith({ name: 'releasing', why: '' }, { name: 'released', why: '' }));
  expect(released).toMatchObject({ exit: 1, stdout: '' });
});

test('an unknown job is none', async () => {
  expect(await logs(journalWith(), 'f')).toMatchObject({ exit: 1, stdout: '' });
});

test('what is kept is bounded, and deleted with its job', () => {
  const directory = scratchDir();
  withJournal(directory, (journal) => {
    journal.insert(aNewJob({ uuid: 'a' }));
    for (const state of [{ name: 'claimed' } as const, finished(`${'x'.repeat(100_000)}end`), REPORTED])
      journal.transition('a', state);
    const kept = journal.outputs.of('a');
    expect(kept?.stdout).toHaveLength(LIMITS.journal.output.max);
    expect(kept?.stdout.endsWith('xend')).toBe(true);
    prune(journal, Date.now() + 1_000);
    expect(journal.get('a')).toBeUndefined();
    expect(journal.outputs.of('a')).toBeUndefined();
  });
});
