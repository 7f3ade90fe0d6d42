import type { OutputStream } from '../../../domain/ports/runtime.ts';

/** A time of the engine's clock: seconds since the epoch, and nanoseconds. */
type EngineTime = { readonly seconds: number; readonly nanos: number };

/** How far one stream has been delivered: its latest time, and how many frames had that time. */
type Mark = { at: EngineTime | undefined; frames: number; toSkip: number };

const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Remembers how far a container's log has been delivered, so that it can be reopened without repeating anything. Each
 * stream has its own mark, because the pieces of a long line keep their first timestamp while the other stream goes on.
 */
export class LogPosition {
  readonly #marks: Record<OutputStream, Mark> = {
    stdout: { at: undefined, frames: 0, toSkip: 0 },
    stderr: { at: undefined, frames: 0, toSkip: 0 },
  };
  #openings = 0;
  #cachedSecond = { text: '', seconds: 0 };

  /** Starts another reading. Returns the engine's `since` (`seconds.nanoseconds`), or undefined for the whole log. */
  reopen(): string | undefined {
    this.#openings += 1;
    const { stdout, stderr } = this.#marks;
    for (const mark of [stdout, stderr]) mark.toSkip = mark.frames;
    if (stdout.at === undefined || stderr.at === undefined) return undefined;
    const first = compare(stdout.at, stderr.at) < 0 ? stdout.at : stderr.at;
    return `${first.seconds}.${String(first.nanos).padStart(9, '0')}`;
  }

  /** Whether this frame is new. Must be called once for each frame, in order. */
  isNew(stream: OutputStream, timestamp: string): boolean {
    const mark = this.#marks[stream];
    const time = this.#parse(timestamp);
    const order = mark.at === undefined ? 1 : compare(time, mark.at);
    if (order > 0) {
      mark.at = time;
      mark.frames = 1;
      mark.toSkip = 0;
      return true;
    }
    // An earlier time is a repetition, except in the first reading: there the engine's clock was set back.
    if (order < 0) return this.#openings <= 1;
    if (mark.toSkip > 0) {
      mark.toSkip -= 1;
      return false;
    }
    mark.frames += 1;
    return true;
  }

  #parse(timestamp: string): EngineTime {
    const [, second = '', fraction = '', zone = ''] = TIMESTAMP.exec(timestamp) ?? [];
    const text = second + zone;
    if (text !== this.#cachedSecond.text) this.#cachedSecond = { text, seconds: Date.parse(text) / 1000 };
    return { seconds: this.#cachedSecond.seconds, nanos: Number(fraction.padEnd(9, '0')) };
  }
}

function compare(a: EngineTime, b: EngineTime): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}
