import { expect, test } from 'vitest';
import { market } from '../../../src/cli/market/command.ts';
import { runLine } from '../../support/cli/run.ts';
import { aRun } from '../../support/domain.ts';
import { ListedRuns } from '../../support/market/listed-runs.ts';
import { Recording } from '../../support/market/recording.ts';

const shown = (dir: string, ...more: readonly string[]) =>
  runLine(['market', 'history', '--state-dir', dir, ...more], {}, [market]);

test('market history names the smallest sufficient GPU as the broker does', async () => {
  const broker = new ListedRuns();
  await using recording = await Recording.open(broker);
  broker.list = [
    aRun({ baseGpu: '0b5f3c1e-0000-4000-8000-000000000001', baseGpuName: 'Nvidia Tesla T4 16GB' }),
  ];
  recording.wall = Date.now() - 120_000;
  await recording.poll();
  const { exit, stdout } = await shown(recording.directory);
  expect(exit).toBe(0);
  expect(stdout).toContain('Nvidia Tesla T4 16GB');
  expect(stdout).not.toContain('0b5f3c1e');
});

test('market history says where there is none', async () => {
  const { exit, stderr } = await shown('/nonexistent');
  expect(exit).not.toBe(0);
  expect(stderr).toContain('STATE_DIR_UNUSABLE');
});

test('market backtest without an agent says what to do', async () => {
  await using recording = await Recording.open(new ListedRuns());
  await recording.poll();
  const { exit, stderr } = await runLine(['market', 'backtest', '--state-dir', recording.directory], {}, [
    market,
  ]);
  expect(exit).toBe(1);
  expect(stderr).toContain('AGENT_NOT_RUNNING');
  expect(stderr).toMatch(/hint: start it/);
});
