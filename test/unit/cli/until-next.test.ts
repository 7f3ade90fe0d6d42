import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nextChange } from '../../../src/cli/owner/next-change.ts';
import type { AvailabilityRule } from '../../../src/domain/schedule/availability.ts';
import { runLine } from '../../support/cli/run.ts';
import { aGpu } from '../../support/domain.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';
import { rule } from '../../support/schedule/rules.ts';

const NOW = Date.parse('2026-11-27T10:00Z');
const GPUS = [
  aGpu({ uuid: 'GPU-0', index: 0, model: 'NVIDIA T4' }),
  aGpu({ uuid: 'GPU-1', index: 1, model: 'NVIDIA H100', slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] }),
];
const RULES = [
  rule({ gpus: ['t4'], hours: '12-13', available: false }),
  rule({ gpus: ['1'], hours: '14-15', available: false }),
];
const hourOf = (availability: readonly AvailabilityRule[], targets: 'all' | readonly string[]): number =>
  new Date(nextChange({ availability, timeZone: 'UTC' }, targets, GPUS, NOW)).getUTCHours();

describe('the next change by the configuration', () => {
  test('is the first one of the targets', () => {
    expect(hourOf(RULES, 'all')).toBe(12);
    expect(hourOf(RULES, ['GPU-0'])).toBe(12);
    expect(hourOf(RULES, ['GPU-1', 'MIG-1'])).toBe(14);
  });

  test('is TIME_INVALID where nothing changes', () => {
    expect(agentErrorOf(() => hourOf(RULES, ['cpu'])).code).toBe('TIME_INVALID');
    expect(agentErrorOf(() => hourOf([], 'all')).code).toBe('TIME_INVALID');
  });
});

describe('pause --until-next without a running agent', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'until-next-'));
    await mkdir(join(directory, 'state'), { mode: 0o700 });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function pause(text: string) {
    const file = join(directory, 'config.toml');
    await writeFile(file, text);
    const state = join(directory, 'state');
    const flags = ['--config', file, '--state-dir', state, '--nvidia-smi', join(directory, 'no-such')];
    return runLine(['pause', 'cpu', '--until-next', '--json', ...flags]);
  }

  test('ends with the schedule’s next change', async () => {
    const ran = await pause('time-zone = "UTC"\n[[availability]]\nhours = "0-12"\navailable = true\n');
    expect(ran).toMatchObject({ exit: 0 });
    expect(/"until": "([^"]+)"/.exec(ran.stdout)?.[1]).toMatch(/T(?:00|12):00:00.000Z$/);
  });

  test('is refused where nothing changes', async () => {
    expect(await pause('')).toMatchObject({ exit: 2, stdout: '' });
  });
});
