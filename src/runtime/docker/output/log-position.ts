import type { OutputStream } from '../../../domain/ports/runtime.ts';

/** A moment of the engine's clock: seconds since the epoch and nanoseconds within. */
type BootTime = { readonly seconds: number; readonly nanos: number };

/** How far one stream has been handed on: its latest moment, and how many frames of that moment. */
type Mark = { at: BootTime | undefined; frames: number; toSkip: number };

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Remembers how far a container's output has been handed on, so that its log can be opened again without
 * repeating anything. Each stream has its own mark: the pieces of a long line keep the time of its first piece
 * while the other stream goes on.
 */
export class LogPosition {
  readonly #marks: Record<OutputStream, Mark> = {
    stdout: { at: undefined, frames: 0, toSkip: 0 },
    stderr: { at: undefined, frames: 0, toSkip: 0 },
  };
  #openings = 0;
  #cachedSecond = { text: '', seconds: 0 };

  /**
   * Begins another reading of the log; answers the moment from which it is needed, as the engine takes it
   * (`seconds.nanoseconds`), or undefined for all of it.
   */
  reopen(): string | undefined {
    this.#openings += 1;
    const { stdout, stderr } = this.#marks;
    for (const mark of [stdout, stderr]) mark.toSkip = mark.frames;
    if (stdout.at === undefined || stderr.at === undefined) return undefined;
    const first = compare(stdout.at, stderr.at) < 0 ? stdout.at : stderr.at;
    return `${first.seconds}.${String(first.nanos).padStart(9, '0')}`;
  }

  /** Whether this frame has not been handed on yet; to be asked once for each frame, in order. */
  isNew(stream: OutputStream, stamp: string): boolean {
    const mark = this.#marks[stream];
    const bootTime = this.#bootTime(stamp);
    const order = mark.at === undefined ? 1 : compare(bootTime, mark.at);
    if (order > 0) {
      mark.at = bootTime;
      mark.frames = 1;
      mark.toSkip = 0;
      return true;
    }
    // The engine's clock may have been set back; only the first reading can tell that from a repetition.
    if (order < 0) return this.#openings <= 1;
    if (mark.toSkip > 0) {
      mark.toSkip -= 1;
      return false;
    }
    mark.frames += 1;
    return true;
  }

  #bootTime(stamp: string): BootTime {
    const [, second = '', fraction = '', zone = ''] = STAMP.exec(stamp) ?? [];
    const text = second + zone;
    if (text !== this.#cachedSecond.text) this.#cachedSecond = { text, seconds: Date.parse(text) / 1000 };
    return { seconds: this.#cachedSecond.seconds, nanos: Number(fraction.padEnd(9, '0')) };
  }
}

function compare(a: BootTime, b: BootTime): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}
