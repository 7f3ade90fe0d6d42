import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DeskReports } from '../../src/agent/presence/desk-reports.ts';
import { ForeignGpuUse } from '../../src/agent/presence/foreign-gpu-use.ts';
import { OwnerPresence } from '../../src/agent/presence/owner-presence.ts';
import { PresenceHolds } from '../../src/agent/presence/presence-holds.ts';
import { SessionActivity } from '../../src/agent/presence/session-activity.ts';
import { NvidiaProcesses } from '../../src/gpu/nvidia-processes.ts';
import { NvidiaSmi } from '../../src/gpu/nvidia-smi.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { aGpu } from '../../test/support/domain.ts';
import { now } from '../measure/now.ts';
import { figureOf } from '../measure/spread.ts';
import type { Ground, Row } from '../row.ts';

const GPU = aGpu({ displayActive: true });
/** nvidia-smi on a desktop, in a shell: its own cost is not measured. The game is a file beside it. */
const PROGRAM = `#!/bin/sh
while :; do
  printf '# gpu pid type sm mem enc dec fb command\\n# Idx # C/G %% %% %% %% MB name\\n'
  printf '    0 %s G 2 1 - - 120 desktop\\n' 101 102 103 104 105 106
  cat "$0.game" 2>/dev/null
  sleep 1
done
`;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** By its memory it shows in one round, by its share of the GPU in two of three. */
const GAMES = [
  { what: 'game starts -> its GPU is held', row: '    0 999 G 60 9 - - 2100 game\n', atMost: 2_000 },
  { what: 'the same, with little memory', row: '    0 999 G 60 9 - - 90 game\n', atMost: 2_200 },
] as const;

/** How soon an owner's game is seen, and what it costs this process to look out for it. */
export const presence: Row = {
  name: 'presence',
  measure: async (ground) => {
    await using opened = new AsyncDisposableStack();
    const { path: directory } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
    const program = join(directory, 'nvidia-smi');
    await writeFile(program, PROGRAM, { mode: 0o755 });
    const seen = [];
    for (const { atMost, row, what } of GAMES) {
      const samples = await delays(ground, program, row);
      seen.push(figureOf({ what, unit: 'ms', targets: [{ of: 'p95', atMost }] }, samples));
    }
    const target = { of: 'median', atMost: 0.2 } as const;
    const cpu = await share(ground, program);
    return [...seen, figureOf({ what: 'CPU of presence', unit: '% of a core', targets: [target] }, cpu)];
  },
};

/** From the moment of a game's start until its GPU is held, in milliseconds; each with an agent that has just started. */
async function delays(ground: Ground, program: string, game: string): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let round = 0; round < (ground.quick ? 1 : 30); round += 1) {
    const over = new AbortController();
    const { holds, working } = open(program, over.signal);
    await until(() => holds.hold(GPU.uuid) === undefined);
    // Spread evenly over the interval between two rounds.
    await pause(((round * 7) % 30) * 33);
    const began = now();
    await writeFile(`${program}.game`, game);
    await until(() => holds.hold(GPU.uuid) !== undefined);
    samples.push(now() - began);
    over.abort();
    await working;
    await rm(`${program}.game`);
  }
  return samples;
}

async function share(ground: Ground, program: string): Promise<readonly number[]> {
  const over = new AbortController();
  const { working } = open(program, over.signal);
  const [spanMs, spans] = ground.quick ? [1_000, 1] : [30_000, 3];
  await pause(spanMs / 10);
  const shares: number[] = [];
  for (let span = 0; span < spans; span += 1) {
    const before = process.cpuUsage();
    await pause(spanMs);
    const { system, user } = process.cpuUsage(before);
    shares.push(((system + user) / 1_000 / spanMs) * 100);
  }
  over.abort();
  await working;
  return shares;
}

function open(program: string, signal: AbortSignal) {
  const holds = new PresenceHolds();
  const shared = { clock: systemClock, random: Math.random, log: SILENT, observe: () => undefined };
  const smi = new NvidiaSmi({ program });
  const presence = new OwnerPresence({
    ...shared,
    policyOf: () => ({ whenActive: 'pause', whenGaming: 'reclaim' }),
    gpuUse: new ForeignGpuUse({
      ...shared,
      processes: new NvidiaProcesses({ smi, program, platform: 'linux', deadlineMs: 15_000 }),
      samples: undefined,
      owners: { areIdsShared: true, exists: () => true, among: () => () => 'foreign' },
      containers: { areKnown: true, ids: [] },
      isIdle: () => true,
    }),
    sessions: new SessionActivity({ ...shared, sessions: { read: async () => undefined } }),
    desks: new DeskReports(systemClock),
    holds,
    isHeld: () => true,
    isBusy: () => false,
    reclaim: () => Promise.resolve(),
    // A host that has just started holds its GPUs, whatever is seen.
    clock: { ...systemClock, bootTime: () => ({ boot: '', upMs: 3_600_000 }) },
  });
  presence.learn([GPU]);
  return { holds, working: presence.work(signal) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}
