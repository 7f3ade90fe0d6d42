import { setTimeout as pause } from 'node:timers/promises';
import { EngineProxy } from '../../test/support/engine/engine-proxy.ts';
import { usageOf } from '../measure/process.ts';
import { openScene, type Scene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Ground, Row } from '../row.ts';

/** What a job needs at least: create, attach, start, wait, remove, and inspect after creation, start and end. */
const CALLS = 8;

/** What the agent itself uses for a trivial job: CPU time of its process without that of an idle one, and calls. */
export const cpuPerJob: Row = {
  name: 'cpu-per-job',
  measure: async (ground) => [...(await cpu(ground)), await calls(ground)],
};

async function cpu(ground: Ground): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const slots of ground.quick ? [2] : [1, 2]) {
    await using scene = await openScene(ground, slots);
    await using agent = await scene.start();
    const secondsOf = async (work: Promise<unknown>): Promise<number> => {
      const before = usageOf(agent.child.pid).cpuSeconds;
      await work;
      return usageOf(agent.child.pid).cpuSeconds - before;
    };
    // The first jobs run uncompiled code.
    await run(scene, ground.quick ? 2 : 40);
    const idleMs = ground.quick ? 100 : 10_000;
    const idlePart = ((await secondsOf(pause(idleMs))) * 1_000) / idleMs;
    const perJob: number[] = [];
    const [rounds, jobs] = ground.quick ? [1, 2] : [5, 40];
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      const usedMs = (await secondsOf(run(scene, jobs))) * 1_000;
      perJob.push((usedMs - idlePart * (performance.now() - began)) / jobs);
      ground.say(`${slots} slots: ${perJob.at(-1)} ms`);
    }
    const what = `CPU of the agent for a job, ${slots} ${slots === 1 ? 'slot' : 'slots'}`;
    figures.push(figureOf({ what, unit: 'ms', targets: [{ of: 'median', atMost: 12 }] }, perJob));
  }
  return figures;
}

async function calls(ground: Ground): Promise<Figure> {
  await using proxy = await EngineProxy.start(ground.engine.host);
  const settings = { DOCKER_HOST: proxy.host };
  await using scene = await openScene(ground, 1, { settings });
  await using _agent = await scene.start();
  await run(scene, 2);
  const counted = new Map<string, number>();
  proxy.plan = ({ name }) => {
    counted.set(name, (counted.get(name) ?? 0) + 1);
    return 'pass';
  };
  const jobs = ground.quick ? 2 : 20;
  await run(scene, jobs);
  for (const [name, count] of counted) ground.say(`${name}: ${count / jobs} a job`);
  const perJob = [...counted.values()].reduce((sum, count) => sum + count, 0) / jobs;
  const targets = [{ of: 'median', atMost: CALLS + 0.5 } as const];
  return figureOf({ what: 'calls to the engine for a job', unit: 'calls', targets }, [perJob]);
}

async function run(scene: Scene, jobs: number): Promise<void> {
  await scene.allReported(scene.addRun(TRIVIAL, jobs));
}
