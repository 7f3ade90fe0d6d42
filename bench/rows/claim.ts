import { setTimeout as pause } from 'node:timers/promises';
import { EngineLog } from '../measure/engine-log.ts';
import { now } from '../measure/now.ts';
import { rawStart } from '../measure/raw-start.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { openYardstick } from '../measure/yardstick.ts';
import type { Figure, Ground, Row } from '../row.ts';

const POLL_MS = 5_000;

/** One job: from its creation at the broker to its claim and start; yardstick: the engine's own time for the start. */
export const claim: Row = {
  name: 'claim',
  measure: async (ground) => [...(await held(ground)), await polled(ground)],
};

async function held(ground: Ground): Promise<readonly Figure[]> {
  const claims: number[] = [];
  const starts: number[] = [];
  const raw: number[] = [];
  await using log = await EngineLog.open(ground.engine.docker);
  await using yardstick = await openYardstick(ground, TRIVIAL);
  await using scene = await openScene(ground, 1);
  await using _agent = await scene.start();
  await scene.allReported(scene.addRun(TRIVIAL, 1));
  for (let round = 0; round < (ground.quick ? 2 : 30); round += 1) {
    const created = now();
    const [job = ''] = scene.addRun(TRIVIAL, 1);
    await scene.allReported([job]);
    const claimed = scene.claimed.get(job) ?? 0;
    claims.push(claimed - created);
    starts.push((await log.at(job, 'start')) - claimed);
    await log.at(job, 'destroy');
    raw.push(await rawStart(ground, yardstick, log));
  }
  return [
    figureOf(
      { what: 'created -> claimed, call held', unit: 'ms', targets: [{ of: 'median', atMost: 50 }] },
      claims,
    ),
    figureOf({ what: 'claimed -> started', unit: 'ms', targets: [{ of: 'ratio', atMost: 1.1 }] }, starts, {
      what: 'create and start, by the engine’s API',
      samples: raw,
    }),
  ];
}

async function polled(ground: Ground): Promise<Figure> {
  const claims: number[] = [];
  await using scene = await openScene(ground, 1, { holdsCalls: false });
  await using _agent = await scene.start();
  for (let round = 0; round < (ground.quick ? 1 : 40); round += 1) {
    // Spread evenly over the interval between two polls.
    if (!ground.quick) await pause((((round * 7) % 20) / 20) * POLL_MS);
    const created = now();
    const [job = ''] = scene.addRun(TRIVIAL, 1);
    await scene.allReported([job]);
    claims.push((scene.claimed.get(job) ?? 0) - created);
  }
  return figureOf(
    {
      what: `created -> claimed, polled each ${POLL_MS / 1000} s`,
      unit: 'ms',
      targets: [{ of: 'median', atMost: POLL_MS / 2 }],
    },
    claims,
  );
}
