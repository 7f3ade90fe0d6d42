import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { LIMITS } from '../limits.ts';
import { type EncodedEvent, encodeEvent } from './encode-event.ts';

/** This file's extension: `.js` once it is compiled. */
const [EXTENSION = ''] = /\.\w+$/.exec(import.meta.url) ?? [];
const WORKER = new URL(`./event-worker${EXTENSION}`, import.meta.url);

const answerSchema: z.ZodType<EncodedEvent> = z.union([
  z.object({ json: z.string() }),
  z.object({ why: z.string() }),
]);

/**
 * Encodes the arguments of Node.js jobs. Long ones take seconds and memory, so a thread does that: one at a time, with
 * bounds of both.
 */
export class EventEncoder {
  readonly #queue = new PQueue({ concurrency: 1 });

  /** The event as JSON for the loader. Throws FUNCTION_INVALID where the arguments are no literal, or take too much. */
  async encode(args: string): Promise<string> {
    const isShort = args.length <= LIMITS.broker.listedArguments.max;
    const encoded = isShort ? encodeEvent(args) : await this.#queue.add(() => inThread(args));
    if ('json' in encoded) return encoded.json;
    throw new AgentError('FUNCTION_INVALID', encoded.why);
  }
}

async function inThread(args: string): Promise<EncodedEvent> {
  const worker = new Worker(WORKER, {
    workerData: args,
    resourceLimits: {
      maxOldGenerationSizeMb: LIMITS.broker.argumentsMemory.max / 1024 ** 2,
      maxYoungGenerationSizeMb: 8,
    },
  });
  const end = new AbortController();
  try {
    return await Promise.race([answerOf(worker), late(end.signal)]);
  } finally {
    end.abort();
    await worker.terminate();
  }
}

async function answerOf(worker: Worker): Promise<EncodedEvent> {
  const answer = Promise.withResolvers<unknown>();
  worker.once('message', (json: unknown) => answer.resolve(json));
  worker.once('error', answer.reject);
  try {
    return answerSchema.parse(await answer.promise);
  } catch (thrown) {
    const isMemory =
      thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (!isMemory) throw thrown;
    return { why: 'reading the job’s arguments takes too much memory' };
  }
}

async function late(signal: AbortSignal): Promise<EncodedEvent> {
  const max = LIMITS.broker.argumentsTime.max;
  await sleep(max, undefined, { signal, ref: false });
  return { why: `reading the job’s arguments takes more than ${max / 1000} s` };
}
