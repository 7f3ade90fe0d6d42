import { append, isPiece, NOTHING_SHOWN, type Shown } from '../output-lines.ts';

/** How a job’s output comes. `unknown`: nothing of it is kept; `lost`: the connection is, and is tried again. */
export type Phase = 'connecting' | 'running' | 'ended' | 'unknown' | 'lost';

/** What is known of an output. */
type Known = { readonly phase: Phase; readonly shown: Shown; readonly leftOut: boolean };

/** Follows a job’s output until what it answers is called; says at most once a frame what is known. */
export function followOutput(url: string, say: (known: Known) => void): () => void {
  let known: Known = { phase: 'connecting', shown: NOTHING_SHOWN, leftOut: false };
  let isFirst = true;
  let frame = 0;
  const source = new EventSource(url);
  const change = (next: Partial<Known>): void => {
    known = { ...known, ...next };
    if (frame === 0)
      frame = requestAnimationFrame(() => {
        frame = 0;
        say(known);
      });
  };
  source.addEventListener('open', () => {
    // After a reconnection the agent begins again.
    isFirst = true;
  });
  source.addEventListener('message', ({ data }) => {
    const piece: unknown = JSON.parse(String(data));
    if (!isPiece(piece)) return;
    const { leftOut, state, stream, text } = piece;
    const before: Known = isFirst ? { ...known, shown: NOTHING_SHOWN, leftOut: false } : known;
    isFirst = false;
    change({
      phase: state,
      shown: append(before.shown, stream, text),
      leftOut: before.leftOut || leftOut,
    });
  });
  source.addEventListener('error', () => {
    // The agent ends the stream with the output; the browser would ask for it again for ever.
    if (known.phase === 'ended' || known.phase === 'unknown') source.close();
    else change({ phase: 'lost' });
  });
  return () => {
    source.close();
    cancelAnimationFrame(frame);
  };
}
