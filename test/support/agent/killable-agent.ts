import { z } from 'zod';
import { asEngine } from './as-engine.ts';
import { cpuOffer, openAgent } from './test-env.ts';

// An agent with the state directory in argv[2], on the broker at argv[3] behind the proxy at argv[4], whose jobs are local
// processes. Works until it is killed, or, with `once` as argv[5], until nothing is left to do. With `engine` as argv[6] it
// pulls images.
const [, , directory = '', url = '', proxy = '', once, engine] = process.argv;
const agent = await openAgent(
  { directory, url, proxy: { url: z.url().parse(proxy) }, log: [], events: [] },
  {
    ...(engine === 'engine' && { runtime: asEngine }),
    // No whole number of micro-dollars.
    offers: [{ ...cpuOffer(3), askPrice: 1 / 30 }],
    settings: { once: once === 'once', jobTimeoutMs: 800 },
  },
);
await agent.run();
await agent.close();
