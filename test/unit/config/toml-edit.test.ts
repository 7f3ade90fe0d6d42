import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { editToml, type TomlChange } from '../../../src/config/toml-edit.ts';

const PACKAGED = readFileSync(join(import.meta.dirname, '../../../packaging/config.toml'), 'utf8');
const ASK: TomlChange = { path: ['ask-price'], value: 0.07, comment: 'in dollars' };
const SLOTS: TomlChange = { path: ['cpu-slots'], value: 2 };
const OF_MODEL: TomlChange = { path: ['gpu', 'NVIDIA H100', 'ask-price'], value: 0.5 };

describe('a change of a value', () => {
  test.each([
    ['in an empty file', '', [ASK], '# in dollars\nask-price = 0.07\n'],
    [
      'that is there',
      'ask-price = 0.05 # mine\nimages = "a"\n',
      [ASK],
      'ask-price = 0.07 # mine\nimages = "a"\n',
    ],
    ['without a last line break', 'images = "a"', [ASK], 'images = "a"\n\n# in dollars\nask-price = 0.07\n'],
    [
      'below its sample',
      '# price\n#ask-price = 0.05\n\n[gpu."X"]\n',
      [ASK],
      '# price\n#ask-price = 0.05\nask-price = 0.07\n\n[gpu."X"]\n',
    ],
    [
      'above the first table',
      'a = 1\n\n# of X\n[gpu."X"]\nslots = 1\n',
      [SLOTS],
      'a = 1\n\ncpu-slots = 2\n\n# of X\n[gpu."X"]\nslots = 1\n',
    ],
    [
      'where there are only tables',
      '# head\n\n# of X\n[gpu."X"]\nslots = 1\n',
      [SLOTS],
      '# head\n\ncpu-slots = 2\n\n# of X\n[gpu."X"]\nslots = 1\n',
    ],
    [
      'above the first sample of a table',
      '# head\n#ask-price = 0.05\n\n# of a model\n#[gpu."X"]\n#slots = 1\n',
      [SLOTS],
      '# head\n#ask-price = 0.05\n\ncpu-slots = 2\n\n# of a model\n#[gpu."X"]\n#slots = 1\n',
    ],
    [
      'below a text that looks like a table',
      "note = '''\n# [x]\n'''\n",
      [SLOTS],
      "note = '''\n# [x]\n'''\n\ncpu-slots = 2\n",
    ],
    [
      'of several lines',
      'images = [\n  "a", # first\n  "b",\n]\n',
      [{ path: ['images'], value: ['c'] }],
      'images = ["c"]\n',
    ],
    [
      'in a table that is there',
      '[gpu."NVIDIA H100"] # big\nslots = 2\n\n[gpu.X]\nslots = 1\n',
      [OF_MODEL],
      '[gpu."NVIDIA H100"] # big\nslots = 2\nask-price = 0.5\n\n[gpu.X]\nslots = 1\n',
    ],
    [
      'of a dotted key',
      'gpu."NVIDIA H100".ask-price = 1\n',
      [OF_MODEL],
      'gpu."NVIDIA H100".ask-price = 0.5\n',
    ],
    ['in a table that is new', 'a = 1\n', [OF_MODEL], 'a = 1\n\n[gpu."NVIDIA H100"]\nask-price = 0.5\n'],
    ['behind a byte order mark', '\uFEFFa = 1\n', [SLOTS], '\uFEFFa = 1\n\ncpu-slots = 2\n'],
    [
      'with brackets and signs in strings',
      `note = "a # [b] = '"\nother = '''\n[x]\nask-price = 1\n'''\n`,
      [ASK],
      `note = "a # [b] = '"\nother = '''\n[x]\nask-price = 1\n'''\n\n# in dollars\nask-price = 0.07\n`,
    ],
  ] as const)('%s keeps everything else', (_, before, changes, after) => {
    expect(editToml(before, changes)).toBe(after);
  });

  test('fits into the packaged file, whose comments all stay', () => {
    const edited = editToml(
      PACKAGED,
      [ASK, SLOTS, OF_MODEL],
      [{ name: 'availability', values: { hours: '22:00-07:00', available: true } }],
    );
    expect(parse(edited)).toEqual({
      'ask-price': 0.07,
      'cpu-slots': 2,
      gpu: { 'NVIDIA H100': { 'ask-price': 0.5 } },
      availability: [{ hours: '22:00-07:00', available: true }],
    });
    const kept = edited.split('\n');
    for (const line of PACKAGED.split('\n')) expect(kept).toContain(line);
  });

  test('is refused where a table is written inline', () => {
    expect(() => editToml('gpu = { "NVIDIA H100" = { slots = 1 } }\n', [OF_MODEL])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('says the same as was asked for, whatever the strings are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.string()),
        fc.string({ minLength: 1 }),
        (text, list, key) => {
          const changes = [
            { path: ['images'], value: list },
            { path: ['gpu', key, 'catalogue'], value: text.toWellFormed() },
          ];
          const once = editToml('a = "#"\n[t]\nb = 1\n', changes);
          expect(editToml(once, changes)).toBe(once);
        },
      ),
      { examples: [['', [], '__proto__']] },
    );
  });
});
