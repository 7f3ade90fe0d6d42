import { bestEncoding, EFFORT, type Encoding, encode } from './encoding.ts';

/** In bytes; a shorter answer fits into a few packets anyway. */
const LARGE = 8 * 1024;
/** So many are compressed at once, for whose work Node.js has as many threads; more are sent as they are. */
const AT_ONCE = 4;

/**
 * Compresses large answers of the API: a day of two GPUs has 370 kB, of which a quarter is left for 2 ms of CPU. None has a
 * secret that could be guessed from its length.
 */
export class AnswerEncoder {
  #busy = 0;

  /** For somebody with this `Accept-Encoding`. */
  async encode(
    answer: object,
    accepted: string | readonly string[] | undefined,
  ): Promise<{ readonly encoding: Encoding; readonly content: Buffer }> {
    const content = Buffer.from(JSON.stringify(answer));
    const encoding = bestEncoding(accepted);
    if (content.length < LARGE || encoding === 'identity' || this.#busy >= AT_ONCE)
      return { encoding: 'identity', content };
    this.#busy += 1;
    try {
      return { encoding, content: await encode(content, encoding, EFFORT.answer) };
    } finally {
      this.#busy -= 1;
    }
  }
}
