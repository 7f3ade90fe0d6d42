import { z } from 'zod';
import { testRuntime } from '../engine/runtime.ts';
import { imageDisk, leapingClock } from './image-disk.ts';
import { openAgent } from './test-env.ts';

// An agent with the state directory in argv[2], on the broker at argv[3] and the engine at argv[4], whose disk is full of old
// images: it removes all of its own until it is killed.
const [, , directory = '', broker = '', host = ''] = process.argv;
const url = z.url().parse(broker);
const clock = leapingClock();
clock.pass(3_600_000);
const agent = await openAgent(
  { directory, url, proxy: { url }, log: [], events: [] },
  {
    clock,
    settings: { once: false },
    imageDisk: imageDisk({ use: () => ({ freeBytes: 0, totalBytes: 1e12 }) }),
    runtime: (agentId) => testRuntime(host, { agentId }).runtime,
  },
);
await agent.run();
await agent.close();
