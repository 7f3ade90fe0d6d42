import { setTimeout as pause } from 'node:timers/promises';
import { EngineProxy } from '../../test/support/engine/engine-proxy.ts';
import { BareAgent } from '../measure/bare-agent.ts';
import { usageOf } from '../measure/process.ts';
import { openScene, type Scene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { openYardstick } from '../measure/yardstick.ts';
import type { Figure, Ground, Row } from '../row.ts';

/** What a job needs at least: create, attach, start, wait, remove, and inspect after creation, start and end. */
const CALLS = 8;

/**
 * What the agent itself uses for a trivial job: CPU time of its process without that of an idle one, and calls. Yardstick: a
 * process that only makes these calls.
 */
export const cpuPerJob: Row = {
  name: 'cpu-per-job',
  measure: async (ground) => [...(await cpu(ground)), await calls(ground)],
};

async function cpu(ground: Ground): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await using yardstick = await openYardstick(ground, TRIVIAL);
  await using bare = new BareAgent(ground, yardstick);
  // The first jobs run uncompiled code.
  const warmUp = ground.quick ? 2 : 40;
  await bare.run(warmUp);
  for (const slots of ground.quick ? [2] : [1, 2]) {
    await using scene = await openScene(ground, slots);
    await using agent = await scene.start();
    await run(scene, warmUp);
    const idleMs = ground.quick ? 100 : 10_000;
    const idlePart = (await cpuMsOf(agent.child.pid, pause(idleMs))) / idleMs;
    const perJob: number[] = [];
    const perBareJob: number[] = [];
    const [rounds, jobs] = ground.quick ? [1, 2] : [5, 40];
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      const usedMs = await cpuMsOf(agent.child.pid, run(scene, jobs));
      perJob.push((usedMs - idlePart * (performance.now() - began)) / jobs);
      perBareJob.push((await cpuMsOf(bare.child.pid, bare.run(jobs))) / jobs);
      ground.say(`${slots} slots: ${perJob.at(-1)} ms, the calls alone ${perBareJob.at(-1)} ms`);
    }
    const what = `CPU of the agent for a job, ${slots} ${slots === 1 ? 'slot' : 'slots'}`;
    figures.push(
      figureOf({ what, unit: 'ms', targets: [{ of: 'median', atMost: 12 }] }, perJob, {
        what: 'the same calls to the engine and nothing else',
        samples: perBareJob,
      }),
    );
  }
  return figures;
}

/** What a process uses while something is done, in milliseconds. */
async function cpuMsOf(pid: number | undefined, work: Promise<unknown>): Promise<number> {
  const before = usageOf(pid).cpuSeconds;
  await work;
  return (usageOf(pid).cpuSeconds - before) * 1_000;
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
