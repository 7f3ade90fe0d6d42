import { describe, expect, test } from 'vitest';
import { describe as describeConfig } from '../../../src/config/describe.ts';
import { DEFAULT_FILE, load, loadError } from '../../support/config/load.ts';

const loadRules = async (text: string) => load({ files: { [DEFAULT_FILE]: text } });
const rulesOf = async (text: string) => (await loadRules(text)).config.availability;
const table = (...lines: readonly string[]): string => `[[availability]]\n${lines.join('\n')}\n`;

describe('a rule', () => {
  test('is about all times and all targets if it names none', async () => {
    const [rule] = await rulesOf(table('available = true'));
    expect(rule).toMatchObject({ number: 1, available: true, gpus: undefined, note: undefined });
    expect([rule?.window.days.size, rule?.window.hours, rule?.window.months.size]).toEqual([7, [], 12]);
  });

  test('has its window, targets and note', async () => {
    const [, rule] = await rulesOf(
      table('available = true') +
        table(
          'days = ["weekend", "Monday"]',
          'hours = "9-12, 22:30-07:00"',
          'months = "oct-feb"',
          'available = false',
          'gpus = ["3090", 0, "cpu"]',
          'note = "games"',
        ),
    );
    expect(rule).toEqual({
      number: 2,
      window: {
        days: new Set([5, 6, 0]),
        hours: [
          { from: 540, to: 720 },
          { from: 1350, to: 420 },
        ],
        months: new Set([9, 10, 11, 0, 1]),
      },
      available: false,
      gpus: ['3090', '0', 'cpu'],
      note: 'games',
    });
  });

  test.each([
    ['fri-mon', [0, 4, 5, 6]],
    ['weekdays', [0, 1, 2, 3, 4]],
    ['thu', [3]],
    ['WED - thurs', [2, 3]],
    ['sun,sun', [6]],
  ])('has the days %j', async (days, expected) => {
    const [rule] = await rulesOf(table(`days = "${days}"`, 'available = true'));
    expect([...(rule?.window.days ?? [])].sort()).toEqual(expected);
  });

  test('may end at midnight, written as either end of a day', async () => {
    const [first, second] = await rulesOf(
      table('hours = "22-24"', 'available = true') + table('hours = "22:00-00:00"', 'available = true'),
    );
    expect(first?.window.hours).toEqual([{ from: 1320, to: 1440 }]);
    expect(second?.window.hours).toEqual([{ from: 1320, to: 1440 }]);
  });

  test.each([
    ['days = "mon-fry"', /^days in \[\[availability\]\] number 1 in .*"fry".*fri/],
    ['days = "mo"', /^days in /],
    ['days = "mon-wed-fri"', /^days in /],
    ['days = []', /^days in /],
    ['days = ","', /^days in /],
    ['days = true', /^days in /],
    ['hours = "22:00-25:00"', /^hours in .*"25:00"/],
    ['hours = "22:61-23:00"', /^hours in .*"22:61"/],
    ['hours = "22:00"', /^hours in /],
    ['hours = "10pm-11pm"', /^hours in .*"10pm"/],
    ['hours = "07:00-07:00"', /^hours in .*empty/],
    ['hours = "0-0"', /^hours in .*empty/],
    ['hours = "24:00-07:00"', /^hours in /],
    ['hours = ""', /^hours in /],
    ['months = "octember"', /^months in .*"octember".*october/],
    ['months = "10-3"', /^months in /],
    ['gpus = []', /^gpus in /],
    ['gpus = ["3090", ""]', /^gpus in /],
    ['note = ""', /^note in /],
    [`note = "${'x'.repeat(201)}"`, /^note in /],
    ['ask-price = 0.1', /^\[\[availability\]\] number 1 in .*"ask-price"/],
    ['day = "mon"', /^\[\[availability\]\] number 1 in .*"day".*days/],
  ])('is CONFIG_INVALID with %s', async (line, message) => {
    const error = await loadError({ files: { [DEFAULT_FILE]: table('available = true', line) } });
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 2 });
    expect(error.message).toMatch(message);
  });

  test.each([
    ['days = "mon"', /^available in \[\[availability\]\] number 1 in .*missing/],
    ['available = "true"', /^available in /],
    ['available = 1', /^available in /],
  ])('is CONFIG_INVALID with %s alone', async (line, message) => {
    const error = await loadError({ files: { [DEFAULT_FILE]: table(line) } });
    expect(error.message).toMatch(message);
  });

  test('that has swallowed a key of the top of the file says where that belongs', async () => {
    const error = await loadError({ files: { [DEFAULT_FILE]: table('available = true', 'cpu-slots = 1') } });
    expect(error.hint).toContain('cpu-slots above the first');
  });

  test('has all its problems named, with the number of its table', async () => {
    const text = table('available = true') + table('days = "x"', 'hours = "y"');
    const { message } = await loadError({ files: { [DEFAULT_FILE]: text } });
    const places = ['days', 'hours', 'available'].map((key) => `  ${key} in [[availability]] number 2 in `);
    for (const place of places) expect(message).toContain(place);
  });
});

describe('rules', () => {
  test.each(['availability = "nights"', '[availability]\navailable = true', 'availability = [1]'])(
    'are CONFIG_INVALID as %j',
    async (text) => {
      const { message } = await loadError({ files: { [DEFAULT_FILE]: text } });
      expect(message).toMatch(/^availability in /);
    },
  );

  test('are CONFIG_INVALID if there are too many', async () => {
    const text = table('available = true').repeat(51);
    expect((await loadError({ files: { [DEFAULT_FILE]: text } })).message).toMatch(/51 .*50/);
  });

  test.each([
    table('available = false'),
    table('hours = "22-7"', 'available = true') + table('available = false'),
    table('hours = "22-7"', 'available = true') +
      table('hours = "7-22"', 'available = false') +
      table('hours = "21-8"', 'available = false'),
    table('available = false') + table('available = false', 'gpus = ["cpu"]'),
  ])('that never open are CONFIG_INVALID: %j', async (text) => {
    const { message } = await loadError({ files: { [DEFAULT_FILE]: text } });
    expect(message).toMatch(/^availability in .*never opens/);
  });

  test.each([
    table('available = false') + table('available = true', 'gpus = ["cpu"]'),
    table('available = false', 'gpus = ["3090"]'),
    table('available = false') + table('available = true', 'hours = "3-4"', 'months = "feb"'),
  ])('that open for some target or at some time are fine: %j', async (text) => {
    expect(await rulesOf(text)).not.toEqual([]);
  });

  test.each([
    [table('hours = "22-7"', 'available = true') + table('available = true', 'hours = "21-8"'), [1]],
    [
      table('hours = "9-17"', 'available = true') +
        table('available = true', 'hours = "9-12"') +
        table('available = true', 'hours = "12-17"'),
      [1],
    ],
    [
      table('days = "fri"', 'hours = "22-7"', 'available = true') +
        table('days = "fri"', 'available = false'),
      [],
    ],
    [
      table('available = true', 'hours = "1-2"') +
        table('available = false', 'hours = "1-2"', 'gpus = ["cpu"]'),
      [],
    ],
    [
      table('available = true', 'hours = "1-2"', 'gpus = ["cpu"]') +
        table('available = true', 'hours = "1-3"'),
      [1],
    ],
  ])('%j have a warning for each that never applies', async (text, numbers) => {
    const { warnings } = await loadRules(text);
    const named = warnings.map((warning) => /^\[\[availability\]\] number (\d+) in /.exec(warning)?.[1]);
    expect(named).toEqual(numbers.map(String));
  });

  test('are shown by check in the order of the file', async () => {
    const loaded = await loadRules(
      table('days = "fri-sun"', 'hours = "22:00-07:00"', 'available = true', 'note = "nights"') +
        table('months = "jul,aug"', 'available = false', 'gpus = ["cpu"]'),
    );
    const shown = describeConfig(loaded).filter(({ option }) => option.startsWith('[[availability]]'));
    expect(shown.map(({ option, value }) => [option, value])).toEqual([
      ['[[availability]] 1', 'available fri-sun 22:00-07:00: nights'],
      ['[[availability]] 2', 'not available jul,aug (cpu)'],
    ]);
  });
});

describe('time-zone', () => {
  const zoneOf = async (zone: string) => (await load({ flags: { timeZone: [zone] } })).config.timeZone;

  test.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['europe/berlin', 'Europe/Berlin'],
    ['utc', 'UTC'],
    ['CET', 'CET'],
    ['+05:30', '+05:30'],
  ])('takes %s', async (written, name) => {
    expect(await zoneOf(written)).toBe(name);
  });

  test.each([
    ['Mars/Base', /"Mars\/Base"/],
    ['Berlin', /Europe\/Berlin/],
    ['Europe/Berlim', /Europe\/Berlin/],
    ['new york', /America\/New_York/],
    ['GMT+2', /"GMT\+2"/],
  ])('is CONFIG_INVALID as %s', async (written, message) => {
    const error = await loadError({ flags: { timeZone: [written] } });
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(message);
  });
});
