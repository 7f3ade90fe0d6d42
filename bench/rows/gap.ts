import { BareAgent } from '../measure/bare-agent.ts';
import { EngineLog } from '../measure/engine-log.ts';
import { rawStart } from '../measure/raw-start.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { openYardstick } from '../measure/yardstick.ts';
import type { Row } from '../row.ts';

/**
 * How long one slot is idle between two jobs while work waits; yardstick: the engine's own time for a container. Beside it the
 * same of a process that only makes the agent's calls to the engine, which no agent with these calls can be below.
 */
export const gap: Row = {
  name: 'gap',
  measure: async (ground) => {
    await using log = await EngineLog.open(ground.engine.docker);
    await using yardstick = await openYardstick(ground, TRIVIAL);
    await using bare = new BareAgent(ground, yardstick);
    await using scene = await openScene(ground, 1);
    await using _agent = await scene.start();
    await scene.allReported(scene.addRun(TRIVIAL, ground.quick ? 1 : 20));
    const gaps: number[] = [];
    const claims: number[] = [];
    const alone: number[] = [];
    const raw: number[] = [];
    await bare.run(2);
    const [rounds, jobs] = ground.quick ? [1, 2] : [6, 10];
    for (let round = 0; round < rounds; round += 1) {
      const run = scene.addRun(TRIVIAL, jobs);
      await scene.allReported(run);
      const inOrder = run.toSorted((a, b) => (scene.claimed.get(a) ?? 0) - (scene.claimed.get(b) ?? 0));
      for (const [index, job] of inOrder.slice(1).entries()) {
        const exit = await log.at(inOrder[index] ?? '', 'die');
        gaps.push((await log.at(job, 'start')) - exit);
        claims.push((scene.claimed.get(job) ?? 0) - exit);
      }
      for (const job of run) await log.at(job, 'destroy');
      const calls = await bare.run(jobs);
      for (const [index, job] of calls.slice(1).entries())
        alone.push((await log.at(job, 'start')) - (await log.at(calls[index] ?? '', 'die')));
      for (let sample = 0; sample < jobs; sample += 1) raw.push(await rawStart(ground, yardstick, log));
    }
    const what = 'exit -> next job started, one slot, work waiting';
    return [
      figureOf({ what, unit: 'ms', targets: [{ of: 'ratio', atMost: 1.1 }] }, gaps, {
        what: 'create and start, by the engine’s API',
        samples: raw,
      }),
      figureOf({ what: 'of that, exit -> next job claimed', unit: 'ms' }, claims),
      figureOf({ what: 'the calls to the engine alone, one job after the other', unit: 'ms' }, alone, {
        what: 'create and start, by the engine’s API',
        samples: raw,
      }),
    ];
  },
};
