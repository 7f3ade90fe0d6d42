import { z } from 'zod';
import type { TestEngine } from '../engine/docker.ts';

const Event = z.object({ Action: z.string() });

/** How often the engine started a container for this job since then (seconds since the epoch), by its own events. */
export async function startsOf(engine: TestEngine, job: string, since: number): Promise<number> {
  const filters = { type: ['container'], event: ['start'], label: [`sharedcloud.job=${job}`] };
  const stream = await engine.docker.getEvents({
    since,
    until: Math.floor(Date.now() / 1000) + 1,
    filters: JSON.stringify(filters),
  });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => Event.parse(JSON.parse(line))).filter(({ Action }) => Action === 'start').length;
}
