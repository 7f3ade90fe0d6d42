import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkSchedule } from '../../../src/cli/check/check-schedule.ts';
import { weekJson, weekText } from '../../../src/cli/schedule/render.ts';
import { weekOf } from '../../../src/cli/schedule/week.ts';
import { type AvailabilityRule, Schedule } from '../../../src/domain/schedule/availability.ts';
import { Zone } from '../../../src/domain/schedule/zone.ts';
import { aPage } from '../../support/cli/page.ts';
import { runLine } from '../../support/cli/run.ts';
import { DEFAULT_FILE, load } from '../../support/config/load.ts';
import { aGpu } from '../../support/domain.ts';
import { rule } from '../../support/schedule/rules.ts';

const NOW = Date.parse('2026-10-23T12:00+02:00');
const HOUR = 3_600_000;
const T4 = aGpu({ uuid: 'GPU-0', index: 0, model: 'NVIDIA T4' });
const H100 = aGpu({ uuid: 'GPU-1', index: 1, model: 'NVIDIA H100' });
const NIGHTS = rule({ hours: '22:00-07:00', available: true, note: 'nights' });

const week = (
  rules: readonly AvailabilityRule[],
  gpus: Parameters<typeof weekOf>[1]['gpus'] = [],
  cpuSlots = 0,
) =>
  weekOf(
    { schedule: new Schedule(rules, new Zone('Europe/Berlin')), zoneFrom: 'host' },
    { gpus, cpuSlots },
    NOW,
  );

describe('the week of a target', () => {
  test('is seven days without a gap, in which a night may have ten hours', () => {
    const [gpu] = week([NIGHTS], [T4]).targets;
    const periods = gpu?.periods ?? [];
    expect(periods[0]).toMatchObject({ available: false, from: NOW });
    expect(periods.at(-1)?.until).toBeGreaterThanOrEqual(NOW + 7 * 24 * HOUR);
    expect(periods.slice(1).map(({ from }) => from)).toEqual(periods.slice(0, -1).map(({ until }) => until));
    const nights = periods.filter(({ available }) => available);
    const lengths = nights.map(({ from, until = 0 }) => (until - from) / HOUR);
    expect(lengths).toEqual([9, 10, 9, 9, 9, 9, 9]);
    expect(gpu?.nextChange).toBe(Date.parse('2026-10-23T22:00+02:00'));
  });

  test('is one period for ever without rules', () => {
    const [gpu] = week([], [T4]).targets;
    expect(gpu).toMatchObject({ nextChange: undefined, periods: [{ available: true, until: undefined }] });
  });

  test('is there for each GPU and slice, and for the CPU slots if there are any', () => {
    const sliced = { ...H100, migMode: true, slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] };
    expect(week([], [T4, sliced], 1).targets.map(({ target }) => target)).toEqual(['GPU-0', 'MIG-1', 'cpu']);
    expect(week([], [T4]).targets.map(({ target }) => target)).toEqual(['GPU-0']);
    expect(week([], []).targets.map(({ target }) => target)).toEqual(['cpu']);
  });

  test('has a note for each name that no GPU has, unless the GPUs are not known', () => {
    const rules = [rule({ gpus: ['t4', '4090', '7', 'cpu'], available: true, number: 3 })];
    const { notes } = week(rules, [T4]);
    expect(notes.map((note) => /number (\d) names "(\w+)"/.exec(note)?.slice(1))).toEqual([
      ['3', '4090'],
      ['3', '7'],
    ]);
    expect(
      weekOf(
        { schedule: new Schedule(rules, new Zone('UTC')), zoneFrom: 'host' },
        { gpus: undefined, cpuSlots: 0 },
        NOW,
      ).notes,
    ).toEqual([]);
  });
});

describe('the text', () => {
  const rules = [
    NIGHTS,
    rule({ gpus: ['h100'], days: 'sat', available: false, note: 'a long note '.repeat(10).trim() }),
  ];

  test('has at most 80 columns, and one table for targets with the same week', () => {
    const text = weekText(week(rules, [T4, { ...T4, uuid: 'GPU-2', index: 2 }, H100], 1), aPage(80));
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text.match(/^FROM /gm)).toHaveLength(2);
    expect(text).toContain(
      'GPU 0, NVIDIA T4\nGPU 2, NVIDIA T4\nCPU slots\n  not available until Fri 23 Oct 22:00 (in 10h)',
    );
  });

  test('names the time zone and now', () => {
    expect(weekText(week([]), aPage(80))).toMatch(/^now Fri 23 Oct 12:00, time zone Europe\/Berlin /);
  });
});

test('the JSON has the same, with instants in UTC', () => {
  const shown: unknown = JSON.parse(weekJson(week([NIGHTS], [T4]), ['a warning']));
  expect(shown).toMatchObject({
    schema: 1,
    now: '2026-10-23T10:00:00.000Z',
    timeZone: 'Europe/Berlin',
    timeZoneFrom: 'host',
    targets: [
      {
        target: 'GPU-0',
        available: false,
        nextChange: '2026-10-23T20:00:00.000Z',
      },
    ],
    warnings: ['a warning'],
  });
  expect(shown).toHaveProperty('targets.0.periods.0', {
    from: '2026-10-23T10:00:00.000Z',
    until: '2026-10-23T20:00:00.000Z',
    available: false,
    why: 'no rule has this time in it',
    rule: null,
  });
  expect(shown).toHaveProperty('targets.0.periods.1.rule', 1);
});

describe('schedule', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'schedule-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function run(text: string, ...more: readonly string[]) {
    const file = join(directory, 'config.toml');
    await writeFile(file, text);
    return runLine(['schedule', '--config', file, '--nvidia-smi', join(directory, 'no-such'), ...more]);
  }

  test('works without GPUs, an agent or a state directory', async () => {
    const ran = await run(
      'time-zone = "Asia/Kathmandu"\n[[availability]]\nhours = "1-2"\navailable = true\n',
      '--json',
    );
    expect(ran).toMatchObject({ exit: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      timeZone: 'Asia/Kathmandu',
      targets: [{ target: 'cpu' }],
    });
  });

  test('ends with 2 for a schedule that never opens', async () => {
    expect(await run('[[availability]]\navailable = false\n')).toMatchObject({ exit: 2, stdout: '' });
  });
});

describe('check', () => {
  const checked = async (text: string, gpus: Parameters<typeof checkSchedule>[1]) =>
    checkSchedule((await load({ files: { [DEFAULT_FILE]: text } })).config, gpus).map(({ level }) => level);

  test.each([
    ['says nothing without rules', '', [T4], []],
    ['accepts rules', '[[availability]]\navailable = true\n', [T4], ['ok']],
    ['warns of an unknown GPU', '[[availability]]\ngpus = ["x"]\navailable = true\n', [T4], ['ok', 'warn']],
    [
      'does not warn of GPUs that were not read',
      '[[availability]]\ngpus = ["x"]\navailable = true\n',
      undefined,
      ['ok'],
    ],
    [
      'warns of a GPU that never opens',
      '[[availability]]\ngpus = ["t4"]\navailable = false\n',
      [T4, H100],
      ['ok', 'warn'],
    ],
  ])('%s', async (_, text, gpus, levels) => {
    expect(await checked(text, gpus)).toEqual(levels);
  });
});
