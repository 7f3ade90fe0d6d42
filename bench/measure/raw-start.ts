import { randomUUID } from 'node:crypto';
import type { Ground } from '../row.ts';
import type { EngineLog } from './engine-log.ts';
import { now } from './now.ts';
import type { Yardstick } from './yardstick.ts';

/** How long the engine takes to create and start the same container by its bare API, by its own events. */
export async function rawStart({ engine }: Ground, { spec }: Yardstick, log: EngineLog): Promise<number> {
  const job = randomUUID();
  // The published type of the options is mutable and older than the engine.
  const maker: { createContainer(options: object): Promise<{ readonly id: string }> } = engine.docker;
  const began = now();
  const { id } = await maker.createContainer(spec(job));
  const container = engine.docker.getContainer(id);
  await container.start();
  const ms = (await log.at(job, 'start')) - began;
  await container.wait();
  await container.remove({ v: true });
  return ms;
}
