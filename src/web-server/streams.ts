import { LIMITS } from '../limits.ts';
import type { Session, Sessions } from './sessions.ts';

/** The streams that are open; those of a session end with it. */
export class Streams {
  readonly #open = new Set<{ readonly session: string; readonly end: () => void }>();

  constructor({ ended }: Pick<Sessions, 'ended'>) {
    ended.subscribe((session) => {
      for (const stream of this.#open) if (session === undefined || session === stream.session) stream.end();
    });
  }

  /** Counts one more, until it is disposed of; undefined: there are too many. `end` ends it. */
  open({ id }: Pick<Session, 'id'>, end: () => void): Disposable | undefined {
    if (this.#open.size >= LIMITS.page.streams.max) return undefined;
    const stream = { session: id, end };
    this.#open.add(stream);
    return { [Symbol.dispose]: () => void this.#open.delete(stream) };
  }
}
