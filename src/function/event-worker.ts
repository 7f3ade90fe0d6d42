import { parentPort, workerData } from 'node:worker_threads';
import { encodeEvent } from './encode-event.ts';

// The thread of EventEncoder: encodes its data, answers once and ends.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
parentPort?.postMessage(encodeEvent(String(workerData)));
