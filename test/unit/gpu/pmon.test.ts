import { describe, expect, test } from 'vitest';
import type { ProcessRound } from '../../../src/domain/foreign-use.ts';
import { PmonReader } from '../../../src/gpu/pmon.ts';

/*
 * Tables as nvidia-smi of the 390s, 550s and 590s prints them, written by hand after its manual and public captures.
 */

const GPUS = new Map([
  [0, 'GPU-a'],
  [1, 'GPU-b'],
]);

const HEADER = `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa     fb   ccpm    command
# Idx           #    C/G      %      %      %      %      %      %     MB     MB    name`;

const DESKTOP = `    0       2165   C+G      -      -      -      -      -      -     25      0    kwin_wayland
    0       2620     G      -      -      -      -      -      -      4      0    Xwayland
    1          -     -      -      -      -      -      -      -      -      -    -              `;

const GAME = `    0       2165   C+G      2      1      -      -      -      -     25      0    kwin_wayland
    0       5021     G     63     20      -      -      -      -   2104      0    vkquake -w 1
    1       5022     C     99     10      -      -      -      -  15690      0    gpu_burn       `;

/** The rounds of these texts, with a pause after each but the last, which has this end. */
function readEach(texts: readonly string[], end: 'flush' | 'breakOff' = 'flush'): readonly ProcessRound[] {
  const reader = new PmonReader(GPUS);
  return texts.flatMap((text, at) => {
    for (const line of text.split('\n')) reader.take(line);
    return (at < texts.length - 1 ? reader.flush() : reader[end]()) ?? [];
  });
}

function read(text: string, end?: 'flush' | 'breakOff'): readonly ProcessRound[] {
  return readEach([text], end);
}

describe('pmon', () => {
  test('shows graphics and compute processes with their memory and share', () => {
    const [round] = read(`${HEADER}\n${GAME}`);
    expect(round?.processes).toStrictEqual([
      { pid: 2165, gpu: 'GPU-a', type: 'C+G', name: 'kwin_wayland', usedMiB: 25, smPercent: 2 },
      { pid: 5021, gpu: 'GPU-a', type: 'G', name: 'vkquake -w 1', usedMiB: 2104, smPercent: 63 },
      { pid: 5022, gpu: 'GPU-b', type: 'C', name: 'gpu_burn', usedMiB: 15690, smPercent: 99 },
    ]);
  });

  test('shows a GPU without processes, which is not one that is missing', () => {
    expect(read(`${HEADER}\n${DESKTOP}`).map(({ gpus }) => [...gpus])).toStrictEqual([['GPU-a', 'GPU-b']]);
    expect(read(`${HEADER}\n${DESKTOP.split('\n')[0]}`).map(({ gpus }) => [...gpus])).toStrictEqual([
      ['GPU-a'],
    ]);
  });

  test('goes round by round, with or without headers in between', () => {
    const rounds = readEach([`${HEADER}\n${DESKTOP}`, DESKTOP, GAME, `${HEADER}\n${GAME}`, GAME]);
    expect(rounds.map(({ processes }) => processes.length)).toStrictEqual([2, 2, 3, 3, 3]);
  });

  test('may have other columns from a round on', () => {
    const rounds = readEach([
      '    0  12  C  1  1  -  -  x',
      '# gpu pid type fb command\n    0  12  C  700  x',
    ]);
    expect(rounds.map(({ processes }) => processes[0]?.usedMiB)).toStrictEqual([undefined, 700]);
  });

  test('of an old driver has neither memory nor the columns of today', () => {
    const [round] = read(`# gpu        pid  type    sm   mem   enc   dec   command
# Idx          #   C/G     %     %     %     %   name
    0      1234     G    41     2     0     0   Xorg`);
    expect(round?.processes).toStrictEqual([
      { pid: 1234, gpu: 'GPU-a', type: 'G', name: 'Xorg', usedMiB: undefined, smPercent: 41 },
    ]);
  });

  test('may have other columns and no header at all', () => {
    const memory = read(
      '# gpu        pid  type    fb   command\n# Idx          #   C/G    MB   name\n    0  12  C  700 x',
    );
    expect(memory[0]?.processes[0]).toMatchObject({ usedMiB: 700, smPercent: undefined });
    expect(read('    0      1234     G    41     2     0     0   Xorg')[0]?.processes[0]).toMatchObject({
      smPercent: 41,
    });
  });

  test.each([
    [
      'Unable to determine the device handle for GPU0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU',
    ],
    [
      '    7       5022     C     99     10      -      -      -      -  15690      0    of a GPU that is not known',
    ],
    ['    0       5022     C'],
    ['    0       5x22     C     99     10      -      -      -      -  15690      0    gpu_burn'],
    [''],
    ['No devices were found'],
  ])('%j is no row', (line) => {
    expect(read(`${HEADER}\n${line}`)).toStrictEqual([]);
  });

  test('that breaks off says nothing of the GPU whose rows came last', () => {
    const half = GAME.split('\n').slice(0, 2).join('\n');
    const [round] = read(`${HEADER}\n${half}`, 'breakOff');
    expect(round?.gpus.size).toBe(0);
    expect(round?.processes.map(({ pid }) => pid)).toStrictEqual([2165, 5021]);
    expect(read(`${HEADER}\n${GAME}`, 'breakOff').map(({ gpus }) => [...gpus])).toStrictEqual([['GPU-a']]);
  });

  test.each([
    [
      'another row of a process',
      '    0       2165     C      0      -      -      -      -      -      0      0    x',
    ],
    [
      'a row that the GPU has none',
      '    0          -     -      -      -      -      -      -      -      -      -    -',
    ],
    [
      'a row of a GPU that comes later',
      '    1          -     -      -      -      -      -      -      -      -      -    -',
    ],
    [
      'a row of a GPU that is not known',
      '    7       2165     C     99      -      -      -      -      -   9000      0    x',
    ],
    ['a header', '# gpu type pid fb mem enc dec jpg ofa sm ccpm command'],
  ])('a line break in a name forges no %s that counts', (_, forged) => {
    const [first = '', ...others] = GAME.split('\n');
    expect(readEach([[HEADER, first, forged, ...others].join('\n'), GAME])).toStrictEqual(
      readEach([`${HEADER}\n${GAME}`, GAME]),
    );
  });

  test('a row that is forged before a process’s own hides nothing of it', () => {
    const forged = '    0       5021     G      0      -      -      -      -      -      0      0    x';
    const [round] = read(`${HEADER}\n${forged}\n${GAME}`);
    expect(round?.processes.filter(({ pid }) => pid === 5021)).toMatchObject([
      { usedMiB: 2104, smPercent: 63 },
    ]);
  });

  test('a line break in the name of a process on another GPU forges no header either', () => {
    const other = '    7       9     C     99      -      -      -      -      -   9000      0    x';
    const rounds = read([HEADER, other, '# gpu type pid command', GAME].join('\n'));
    expect(rounds).toStrictEqual(read(`${HEADER}\n${GAME}`));
  });

  test('a name is free text of other users: it is escaped and cut', () => {
    const [round] = read(`${HEADER}\n    0  9  C  1  1  -  -  -  -  1  0  \u001b[2J${'x'.repeat(500)}`);
    const name = round?.processes[0]?.name ?? '';
    expect(name).not.toContain('\u001b');
    expect(name.length).toBeLessThan(200);
  });
});
