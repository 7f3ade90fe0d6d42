import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProcessRound } from '../../../src/domain/foreign-use.ts';
import { NvidiaProcesses } from '../../../src/gpu/nvidia-processes.ts';
import { NvidiaSmi } from '../../../src/gpu/nvidia-smi.ts';

const GPUS = new Map([
  [0, 'GPU-a'],
  [1, 'GPU-b'],
]);
const HEADER = `printf '# gpu pid type sm mem enc dec fb command\\n# Idx # C/G %% %% %% %% MB name\\n'`;
const GAME = `printf ' 0 5021 G 63 20 - - 2104 vkquake\\n 1 - - - - - - - -\\n'`;
const TIMING = { intervalMs: 20, pauseMs: 20, silentMs: 300 };

type StandIn = AsyncDisposable & {
  readonly processes: NvidiaProcesses;
  readonly calls: () => Promise<readonly string[]>;
};

/** An nvidia-smi that is this shell script; `$*` are its arguments. */
async function standIn(script: string): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'pmon-'));
  const program = join(directory, 'nvidia-smi');
  await writeFile(program, `#!/bin/sh\necho "$*" >>${directory}/calls\n${script}\n`);
  await chmod(program, 0o755);
  const smi = new NvidiaSmi({ program });
  return {
    processes: new NvidiaProcesses({ smi, program, platform: 'linux', deadlineMs: 300, timing: TIMING }),
    calls: async () => (await readFile(join(directory, 'calls'), 'utf8')).trim().split('\n'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The first so many rounds, and what following has thrown, if it ended by itself. */
async function firstRounds(one: StandIn, count: number) {
  const enough = new AbortController();
  const rounds: ProcessRound[] = [];
  const onRound = (round: ProcessRound): void => {
    rounds.push(round);
    if (rounds.length >= count) enough.abort();
  };
  const error = await one.processes.follow(GPUS, onRound, enough.signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { rounds, error };
}

function pids({ processes }: ProcessRound): readonly number[] {
  return processes.map(({ pid }) => pid);
}

describe('the processes on GPUs', () => {
  test('come from one long-lived nvidia-smi, round by round', async () => {
    await using one = await standIn(`${HEADER}; for i in 1 2 3; do ${GAME}; sleep 0.1; done; sleep 5`);
    const { error, rounds } = await firstRounds(one, 3);
    expect(rounds.map(pids)).toEqual([[5021], [5021], [5021]]);
    expect(error).toBeUndefined();
    expect(await one.calls()).toEqual(['pmon -s um -d 1 -i 0,1']);
  });

  test('come as soon as a round is over, not with the next one', async () => {
    await using one = await standIn(`${HEADER}; ${GAME}; sleep 0.25; ${GAME}; sleep 5`);
    expect((await firstRounds(one, 1)).rounds.map(({ gpus }) => gpus.size)).toEqual([2]);
  });

  test.each([
    ['prints nothing', 'sleep 5'],
    ['knows no such argument', 'exit 1'],
  ])('come from single calls where one that is to go on %s', async (_, script) => {
    await using one = await standIn(`case "$*" in *-d*) ${script};; esac; ${HEADER}; ${GAME}`);
    expect((await firstRounds(one, 2)).rounds.map(pids)).toEqual([[5021], [5021]]);
  });

  test('are the computing ones where the driver cannot show more', async () => {
    await using one = await standIn(
      `case "$*" in pmon*) echo 'Not supported on the device(s)'; exit 3;; *) echo '77, GPU-a, 900'; echo '78, GPU-elsewhere, 900';; esac`,
    );
    const { round, hasGraphics } = await one.processes.read(GPUS, new AbortController().signal);
    expect(round.processes).toMatchObject([{ pid: 77, gpu: 'GPU-a', usedMiB: 900 }]);
    expect({ gpus: round.gpus.size, hasGraphics }).toEqual({ gpus: 2, hasGraphics: false });
  });

  test('have no memory where the driver cannot show it', async () => {
    await using one = await standIn(
      `case "$*" in *um*) exit 2;; *) printf '# gpu pid type sm mem enc dec command\\n 0 7 G 63 2 - - vkquake\\n';; esac`,
    );
    const { round, hasGraphics } = await one.processes.read(GPUS, new AbortController().signal);
    expect(round.processes).toMatchObject([{ pid: 7, usedMiB: undefined, smPercent: 63 }]);
    expect(hasGraphics).toBe(true);
  });

  test('are unknown where nvidia-smi fails halfway: of the GPU that came last, and of those behind it', async () => {
    await using one = await standIn(
      `${HEADER}; printf ' 0 5021 G 63 20 - - 2104 vkquake\\n'; echo 'GPU is lost' >&2; exit 15`,
    );
    const { error, rounds } = await firstRounds(one, 9);
    expect(rounds.map(({ gpus, processes }) => [gpus.size, processes.length])).toEqual([[0, 1]]);
    expect(error).toMatchObject({ code: 'GPU_PROBE_FAILED' });
  });

  test.each([
    ['fails', `echo 'GPU is lost'; exit 15`, 'GPU_PROBE_FAILED'],
    ['shows no GPU', 'exit 0', 'GPU_NONE'],
    ['shows no GPU that is known', `${HEADER}; printf ' 5 1 G 1 1 - - 9 x\\n'`, 'GPU_PROBE_FAILED'],
  ])('are unknown where nvidia-smi %s', async (_, script, code) => {
    await using one = await standIn(script);
    const { error, rounds } = await firstRounds(one, 1);
    expect(rounds).toEqual([]);
    expect(error).toMatchObject({ code });
  });

  test('are unknown where nvidia-smi falls silent', async () => {
    await using one = await standIn(`${HEADER}; ${GAME}; sleep 5`);
    const { error, rounds } = await firstRounds(one, 2);
    expect(rounds).toHaveLength(1);
    expect(error).toMatchObject({ code: 'GPU_PROBE_HUNG' });
  });
});
