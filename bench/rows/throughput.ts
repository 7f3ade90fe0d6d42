import { BareAgent } from '../measure/bare-agent.ts';
import { now } from '../measure/now.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { openYardstick } from '../measure/yardstick.ts';
import type { Figure, Ground, Row } from '../row.ts';

/**
 * Trivial Python jobs a minute, from the run's creation to the last accepted report; yardstick: `docker run --rm` of the
 * same image, work, network, limits and sandbox. Beside it the same of processes that only make the agent's calls to the
 * engine, which is the most that any agent can reach with them.
 */
export const throughput: Row = {
  name: 'throughput',
  measure: async (ground) => {
    const figures: Figure[] = [];
    for (const slots of ground.quick ? [2] : [1, 2, 4]) figures.push(...(await withSlots(ground, slots)));
    return figures;
  },
};

async function withSlots(ground: Ground, slots: number): Promise<readonly Figure[]> {
  const jobs = ground.quick ? 4 : 100;
  const ours: number[] = [];
  const yardsticks: number[] = [];
  const floors: number[] = [];
  await using yardstick = await openYardstick(ground, TRIVIAL);
  await using bare = new AsyncDisposableStack();
  const loops = Array.from({ length: slots }, () => bare.use(new BareAgent(ground, yardstick)));
  await using scene = await openScene(ground, slots);
  await using _agent = await scene.start();
  // The first jobs of an agent run uncompiled code and wait for facts about the engine.
  await scene.allReported(scene.addRun(TRIVIAL, slots));
  await yardstick.dockerRun(slots, slots);
  await Promise.all(loops.map((loop) => loop.run(2)));
  // Interleaved, in alternating order, because the load of the machine varies.
  for (let round = 0; round < (ground.quick ? 1 : 3); round += 1) {
    const work = async (): Promise<void> => {
      const began = now();
      ours.push(perMinute(jobs, (await scene.allReported(scene.addRun(TRIVIAL, jobs))) - began));
    };
    const measure = async (): Promise<void> => {
      const began = now();
      await yardstick.dockerRun(jobs, slots);
      yardsticks.push(perMinute(jobs, now() - began));
    };
    const callAlone = async (): Promise<void> => {
      const began = now();
      await Promise.all(loops.map((loop) => loop.run(jobs / slots)));
      floors.push(perMinute(jobs, now() - began));
    };
    const parts = [work, measure, callAlone];
    for (const part of round % 2 === 0 ? parts : parts.toReversed()) await part();
    const others = `docker run ${yardsticks.at(-1)}, the calls alone ${floors.at(-1)}`;
    ground.say(`${slots} slots: ${ours.at(-1)} jobs/min, ${others}`);
  }
  const about = { what: `${slots} ${slots === 1 ? 'slot' : 'slots'}`, unit: 'jobs/min' };
  const targets = [{ of: 'ratio', atLeast: slots === 1 ? 1 : 1.05 } as const];
  const dockerRun = { what: `docker run --rm, xargs -P ${slots}`, samples: yardsticks };
  const alone = { ...about, what: `${about.what}, the calls to the engine alone`, targets: [] };
  return [figureOf({ ...about, targets }, ours, dockerRun), figureOf(alone, floors, dockerRun)];
}

const perMinute = (jobs: number, ms: number): number => Math.round((jobs / ms) * 600_000) / 10;
