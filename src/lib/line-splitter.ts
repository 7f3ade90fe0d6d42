/** Splits text that comes in pieces into lines. A line that is too long is left out as a whole. */
export class LineSplitter {
  readonly #maxLength: number;
  #rest = '';
  /** Whether what comes up to the next line break belongs to a line that is left out. */
  #isTooLong = false;

  /** `maxLength`: in characters, without the line break. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** The lines that this piece completes, without their line breaks. */
  push(piece: string): readonly string[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#isTooLong && lines.length > 0) {
      lines.shift();
      this.#isTooLong = false;
    }
    if (this.#isTooLong || this.#rest.length > this.#maxLength) {
      this.#rest = '';
      this.#isTooLong = true;
    }
    return lines.filter((line) => line.length <= this.#maxLength).map(withoutReturn);
  }

  /** What is left once all has come: a line without its break; undefined: nothing. */
  end(): string | undefined {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? undefined : withoutReturn(rest);
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
