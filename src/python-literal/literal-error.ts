/** The error for text that is not a supported Python literal; the message has the line and column. */
export class LiteralError extends Error {
  /** `at` is an offset into `text`. */
  constructor(text: string, what: string, at: number) {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    super(`no Python literal: ${what} at line ${line}, column ${column}`);
    this.name = 'LiteralError';
  }
}
