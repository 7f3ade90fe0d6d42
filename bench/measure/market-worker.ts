import { parentPort } from 'node:worker_threads';
import { EmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts';
import { INSTANCE_TYPE } from '../../src/embedded/broker/store/rows.ts';

/*
 * A broker in a thread of its own, so that its CPU time is not the agent's. It posts its address; each message is how many runs come,
 * and how many may be open: the oldest are withdrawn. It answers with how many are.
 */

const TOKEN = 'bench';
const FUNCTIONS = 500;

const broker = new EmbeddedBroker({ token: TOKEN });
const { store } = broker;
const registryPath = 'sharedcloud/python36:latest';
const image = store.addImage({ registryPath, requiresGpu: false, runtime: 'python36' });
const functions = Array.from({ length: FUNCTIONS }, (_, index) =>
  store.addFunction({ name: `f${index}`, code: 'pass', image }),
);
for (let index = 0; index < 20; index += 1) {
  const askPrice = 0.01 * (index + 1);
  const terms = {
    name: `host ${index}`,
    type: INSTANCE_TYPE.CPU,
    gpu: null,
    maxNumParallelJobs: 1,
    askPrice,
  };
  store.addInstance(terms);
}
const open: string[] = [];
let added = 0;

parentPort?.on('message', ({ come, most }: { readonly come: number; readonly most: number }) => {
  for (let index = 0; index < come; index += 1) {
    added += 1;
    const fn = functions[(added * 7_919) % FUNCTIONS] ?? '';
    open.push(store.addRun({ function: fn, parameters: '((1,),(2,))', bidPrice: (added % 97) / 1_000 }));
  }
  for (const run of open.splice(0, Math.max(0, open.length - most))) store.deleteRun(run);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
  parentPort?.postMessage(open.length);
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
parentPort?.postMessage({ url: await broker.listen(), token: TOKEN });
