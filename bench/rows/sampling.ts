import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GpuCordons } from '../../src/agent/gpu-health/cordons.ts';
import { RollupRecorder } from '../../src/agent/gpu-health/rollup-recorder.ts';
import { Thermals } from '../../src/agent/gpu-health/thermals.ts';
import type { Gpu } from '../../src/domain/gpu.ts';
import { NvidiaSampler } from '../../src/gpu/nvidia-sampler.ts';
import { NvidiaSmi } from '../../src/gpu/nvidia-smi.ts';
import { openJournal } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { aGpu } from '../../test/support/domain.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

const GPUS: readonly Gpu[] = Array.from({ length: 8 }, (_, index) =>
  aGpu({ uuid: `GPU-${index}`, index, busId: `00000000:0${index}:00.0` }),
);
/** What each GPU has to say, in the order of the columns. */
const CELLS =
  'Disabled, P0, 0x0000000000000004, 99, 70123, 11000, 81559, 68, [N/A], 512.31, 520.1, 515.2, 700.00, 1980';
const FIELDS = [
  'display_active',
  'pstate',
  'clocks_event_reasons.active',
  'utilization.gpu',
  'memory.used',
  'memory.free',
  'memory.total',
  'temperature.gpu',
  'fan.speed',
  'power.draw.average',
  'power.draw.instant',
  'power.draw',
  'power.limit',
  'clocks.current.sm',
  'uuid',
];
/** nvidia-smi on that host, in a shell: its own cost is not measured. */
const PROGRAM = `#!/bin/sh
case "$*" in
  --help*) printf '"%s"\\n' ${FIELDS.join(' ')} ;;
  *-lms*) while cat "$0.rows"; do sleep 1; done ;;
  *) cat "$0.rows" ;;
esac
`;
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What it costs this process to sample eight GPUs, with the minutes in the journal and the check of temperatures. */
export const sampling: Row = {
  name: 'sampling',
  measure: async (ground) => {
    await using opened = new AsyncDisposableStack();
    const { path: directory } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
    const program = join(directory, 'nvidia-smi');
    await writeFile(program, PROGRAM, { mode: 0o755 });
    await writeFile(`${program}.rows`, GPUS.map(({ uuid }) => `${CELLS}, ${uuid}\n`).join(''));
    const stateDir = openStateDir(directory);
    opened.defer(() => stateDir.close());
    const journal = openJournal(stateDir, 'https://sharedcloud.io', systemClock);
    opened.defer(() => journal.close());

    const over = new AbortController();
    const base = { clock: systemClock, log: SILENT, signal: over.signal };
    const platform = 'linux';
    const smi = new NvidiaSmi({ program });
    const sampler = new NvidiaSampler({
      ...base,
      smi,
      program,
      platform,
      deadlineMs: 15_000,
      isAsleep: () => false,
    });
    const observe = (): void => undefined;
    const cordons = new GpuCordons(observe, () => undefined);
    const thermals = new Thermals({ ...base, cordons, observe, maxGpuTemperature: () => 80 });
    const recorder = new RollupRecorder({ ...base, rollups: journal.gpuRollups });
    sampler.sampled.subscribe((samples) => {
      thermals.record(samples);
      recorder.record(samples);
    });
    const [spanMs, spans] = ground.quick ? [3_000, 1] : [60_000, 3];
    const idle = await cpuOver(spanMs, spans);
    thermals.learn(GPUS);
    sampler.learn(GPUS);
    const working = sampler.work(over.signal);
    await pause(ground.quick ? 500 : 5_000);
    const slow = await cpuOver(spanMs, spans);
    sampler.watch();
    await pause(ground.quick ? 500 : 5_000);
    const fast = await cpuOver(spanMs, spans);
    over.abort();
    await working;
    const unit = '% of a core';
    const yardstick = { what: 'without a sampler', samples: idle };
    return [
      figureOf(
        { what: 'CPU, every second', unit, targets: [{ of: 'median', atMost: 0.5 }] },
        fast,
        yardstick,
      ),
      figureOf(
        { what: 'CPU, every minute', unit, targets: [{ of: 'median', atMost: 0.1 }] },
        slow,
        yardstick,
      ),
    ];
  },
};

/** The CPU time of this process over some spans, each as a percentage of a core. */
async function cpuOver(spanMs: number, spans: number): Promise<readonly number[]> {
  const shares: number[] = [];
  for (let span = 0; span < spans; span += 1) {
    const before = process.cpuUsage();
    await pause(spanMs);
    const { system, user } = process.cpuUsage(before);
    shares.push(((system + user) / 1_000 / spanMs) * 100);
  }
  return shares;
}
