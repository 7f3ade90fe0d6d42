import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { REGISTRY } from '../../test/support/engine/find-engine.ts';
import { pushNoise } from '../measure/noise-image.ts';
import { now } from '../measure/now.ts';
import { openScene, type Scene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { until } from '../measure/until.ts';
import type { Ground, Row } from '../row.ts';

const SIZES = { full: 2_000_000_000, quick: 16_000_000 };
const LINE = z.object({ time: z.iso.datetime() });

/** From a run's creation to its image being ready, which was not on this host; yardstick: `docker pull` of the same. */
export const coldImage: Row = {
  name: 'cold-image',
  measure: async (ground) => {
    const bytes = SIZES[ground.quick ? 'quick' : 'full'];
    ground.say('pushes an image');
    const ref = await pushNoise(REGISTRY, bytes);
    const agent: number[] = [];
    const docker: number[] = [];
    await using scene = await openScene(ground, 1);
    await remove(ground, ref);
    for (let round = 0; round < (ground.quick ? 1 : 3); round += 1) {
      const pulls = [
        async () => void agent.push(await byAgent(scene, ref)),
        async () => void docker.push(await byDocker(ground, ref)),
      ];
      // In turn, because the second one finds more of the registry's files in memory.
      for (const pull of round % 2 === 0 ? pulls : pulls.toReversed()) {
        await pull();
        await remove(ground, ref);
      }
    }
    const what = `an image of ${bytes / 1e6} MB: run created -> image ready`;
    return [
      figureOf({ what, unit: 's', targets: [{ of: 'ratio', atMost: 1.05 }] }, agent, {
        what: 'docker pull',
        samples: docker,
      }),
    ];
  },
};

/** By an agent that has run a job, so that nothing but the image is new to it. */
async function byAgent(scene: Scene, ref: string): Promise<number> {
  await using agent = await scene.start();
  await scene.allReported(scene.addRun(TRIVIAL, 1));
  const ready = (): string | undefined =>
    agent.said.split('\n').find((line) => line.includes('"event":"image-ready"') && line.includes(ref));
  const created = now();
  const jobs = scene.addRun(TRIVIAL, 1, ref);
  await until('a ready image', () => ready() !== undefined, 600_000);
  const { time } = LINE.parse(JSON.parse(ready() ?? ''));
  // It has no program, which is reported as the job's failure.
  await scene.allReported(jobs);
  return (Date.parse(time) - created) / 1000;
}

async function byDocker({ engine }: Ground, ref: string): Promise<number> {
  const began = now();
  const env = { PATH: process.env['PATH'], DOCKER_HOST: engine.host };
  await promisify(execFile)('docker', ['pull', '--quiet', ref], { env });
  return (now() - began) / 1000;
}

/** Removes the image, if it is here. */
async function remove({ engine }: Ground, ref: string): Promise<void> {
  const images = await engine.docker.listImages({ filters: JSON.stringify({ reference: [ref] }) });
  for (const { Id } of images) await engine.docker.getImage(Id).remove({ force: true });
}
