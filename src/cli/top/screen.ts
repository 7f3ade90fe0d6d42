import type { Writer } from '../command.ts';

/** The alternate screen, without a cursor and without lines that wrap. */
const ENTER = '\u001B[?1049h\u001B[?25l\u001B[?7l';
const LEAVE = '\u001B[?7h\u001B[?25h\u001B[?1049l';
const HOME = '\u001B[H';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';

/** The keys that end it: q, Q, Ctrl-C and Ctrl-D, which are no signals while keys are read one by one. */
const QUIT = ['q', 'Q', '\u0003', '\u0004'];

/** A terminal that is drawn on, as it was before once disposed of, however the process ends. */
export type Screen = Disposable & {
  readonly size: { readonly columns: number; readonly rows: number };
  /** Replaces all lines; what does not fit below is left out. */
  draw(lines: readonly string[]): void;
  /** Aborts when the reader has had enough. */
  readonly quit: AbortSignal;
  /** Called when the terminal has another size. */
  onResize(listener: () => void): void;
};

/** Takes the terminal of this process, until disposed of. */
export function openScreen(out: Writer): Screen {
  const { stdin, stdout } = process;
  const quit = new AbortController();
  const resized = new Set<() => void>();
  const onKey = (keys: Buffer): void => {
    const typed = keys.toString('latin1');
    if (QUIT.some((key) => typed.includes(key))) quit.abort();
  };
  const onResize = (): void => {
    for (const listener of resized) listener();
  };
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    process.off('exit', close);
    stdout.off('resize', onResize);
    stdin.off('data', onKey);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    out.write(LEAVE);
  };
  process.once('exit', close);
  out.write(ENTER);
  stdout.on('resize', onResize);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onKey);
    stdin.resume();
  }
  return {
    get size() {
      return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
    },
    draw: (lines) => {
      const shown = lines.slice(0, stdout.rows || 24);
      out.write(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
    },
    quit: quit.signal,
    onResize: (listener) => void resized.add(listener),
    [Symbol.dispose]: close,
  };
}
