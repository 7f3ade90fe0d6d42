import { expect, test } from 'vitest';
import { UnexplainedKills } from '../../../../src/agent/jobs/unexplained-kills.ts';

const killed = { code: 137, oomKilled: false };

test.each([129, 130, 137, 143])(
  'two exits with %d in a row are the host’s, the third is the job’s',
  (code) => {
    const kills = new UnexplainedKills();
    const faults = [1, 2, 3, 4].map(() => kills.fault('run', { code, oomKilled: false }) !== undefined);
    expect(faults).toEqual([true, true, false, false]);
  },
);

test('other runs, and another end in between, count for themselves', () => {
  const kills = new UnexplainedKills();
  kills.fault('run', killed);
  kills.fault('run', killed);
  expect(kills.fault('other', killed)).toBeDefined();
  kills.ended('run');
  expect(kills.fault('run', killed)).toBeDefined();
});

test.each([
  [1, false],
  [137, true],
  [255, false],
])('an exit with %d (out of memory: %s) is explained', (code, oomKilled) => {
  expect(new UnexplainedKills().fault('run', { code, oomKilled })).toBeUndefined();
});

test('five kills in a row while the host is short of memory are the host’s', () => {
  const kills = new UnexplainedKills();
  const isFault = (run: string): boolean => kills.faultIfShort(run) !== undefined;
  expect([1, 2, 3, 4, 5, 6, 7].map(() => isFault('run'))).toEqual([
    true,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(isFault('other')).toBe(true);
  kills.ended('run');
  expect(isFault('run')).toBe(true);
});
