import { useEffect, useRef, useState } from 'preact/hooks';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { append, isPiece, NOTHING_SHOWN, type Shown, visibleOutput } from '../output-lines.ts';
import { useApi } from '../services.ts';

type Phase = 'connecting' | 'running' | 'ended' | 'unknown' | 'lost';

/** What a job prints, as it comes. It follows the end, unless somebody has scrolled up. */
export function JobOutput({ job }: { readonly job: string }): Drawn {
  const box = useRef<HTMLDivElement>(null);
  const [phase, setPhase] = useState<Phase>('connecting');
  const [stream, setStream] = useState<'both' | 'stdout' | 'stderr'>('both');
  const [note, setNote] = useState({ lines: 0, dropped: 0, leftOut: false, characters: 0 });
  const [follows, setFollows] = useState(true);
  const { streamUrl } = useApi();
  const scroll = useRef(true);
  const toEnd = (): void => {
    scroll.current = true;
    setFollows(true);
    box.current?.scrollTo({ top: box.current.scrollHeight });
  };

  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const view = new LineView(current);
    return followOutput(streamUrl(`/api/output/${encodeURIComponent(job)}`, { follow: 1 }), (known) => {
      view.show(known.shown);
      if (scroll.current) current.scrollTop = current.scrollHeight;
      setPhase(known.phase);
      const { leftOut, shown } = known;
      const characters = shown.lines.reduce((sum, { text }) => sum + text.length, 0);
      setNote({ lines: shown.lines.length, dropped: shown.dropped, leftOut, characters });
    });
  }, [job]);

  const onScroll = (): void => {
    if (box.current === null) return;
    const { clientHeight, scrollHeight, scrollTop } = box.current;
    scroll.current = scrollHeight - scrollTop - clientHeight < 24;
    setFollows(scroll.current);
  };
  return html`<section class="output" aria-labelledby="output-title">
    <div class="view-head">
      <h2 id="output-title">Output</h2>
      <span class=${phase === 'running' ? 'badge badge-good' : 'badge'} role="status">${PHASES[phase]}</span>
      <div class="output-tools">
        <${Streams} stream=${stream} onChange=${setStream} />
        <${Copy} text=${() => box.current?.innerText ?? ''} />
      </div>
    </div>
    <p class="output-note small muted">${noteOf(phase, note)}</p>
    <div class="output-frame">
      <div
        ref=${box}
        class=${`output-box output-${stream}`}
        role="log"
        aria-live="off"
        aria-label="Output of the job"
        tabindex="0"
        onScroll=${onScroll}
      ></div>
      ${!follows && html`<button type="button" class="output-end" onClick=${toEnd}>To the end</button>`}
    </div>
  </section>`;
}

const PHASES: Readonly<Record<Phase, string>> = {
  connecting: 'connecting …',
  running: 'live',
  ended: 'ended',
  unknown: 'not kept',
  lost: 'connection lost, trying again …',
};

type Note = {
  readonly lines: number;
  readonly dropped: number;
  readonly leftOut: boolean;
  readonly characters: number;
};

function noteOf(phase: Phase, { characters, dropped, leftOut, lines }: Note): string {
  if (phase === 'unknown')
    return 'Nothing is kept of this job’s output: it was released or cancelled, never ran, or others ended after it.';
  if (phase === 'connecting') return 'Waiting for the agent …';
  if (lines === 0)
    return phase === 'ended' ? 'The job has printed nothing.' : 'The job has printed nothing yet.';
  if (dropped > 0)
    return `Only the last ${counted(lines, 'line')} are shown, ${dropped} before them are not.`;
  if (!leftOut) return `${counted(lines, 'line')}, all that the job has printed.`;
  return phase === 'ended'
    ? `The job has ended: only the last ${characters} characters are kept.`
    : `Only the last ${characters} characters are kept; earlier output is left out.`;
}

/** What is known of an output. */
type Known = { readonly phase: Phase; readonly shown: Shown; readonly leftOut: boolean };

/** Follows a job’s output until what it answers is called; says at most once a frame what is known. */
function followOutput(url: string, say: (known: Known) => void): () => void {
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

/** Lines in an element; only what has changed of them is drawn. */
class LineView {
  readonly #box: HTMLElement;
  #shown = NOTHING_SHOWN;

  constructor(box: HTMLElement) {
    this.#box = box;
    box.replaceChildren();
  }

  show(next: Shown): void {
    const before = this.#shown;
    this.#shown = next;
    const gone = next.dropped - before.dropped;
    if (gone < 0 || gone > before.lines.length || next.lines.length + gone < before.lines.length)
      this.#box.replaceChildren();
    else for (let count = 0; count < gone; count++) this.#box.firstChild?.remove();
    const added = document.createDocumentFragment();
    for (const [index, line] of next.lines.entries()) {
      const element = this.#box.children[index];
      if (element === undefined) added.append(lineOf(line));
      else if (line !== before.lines[index + gone]) element.replaceWith(lineOf(line));
    }
    this.#box.append(added);
  }
}

function lineOf({ stream, text }: Shown['lines'][number]): HTMLElement {
  const line = document.createElement('div');
  line.className = `line line-${stream}`;
  // Text only: it is a stranger’s.
  line.textContent = visibleOutput(text);
  return line;
}

const STREAMS = [
  ['both', 'stdout and stderr'],
  ['stdout', 'only stdout'],
  ['stderr', 'only stderr'],
] as const;

type StreamChoice = (typeof STREAMS)[number][0];

function Streams({
  onChange,
  stream,
}: {
  stream: StreamChoice;
  onChange: (stream: StreamChoice) => void;
}): Drawn {
  return html`<select
    aria-label="Which output is shown"
    value=${stream}
    onChange=${(event: Event) => {
      const { target } = event;
      const chosen = STREAMS.find(([name]) => target instanceof HTMLSelectElement && target.value === name);
      if (chosen !== undefined) onChange(chosen[0]);
    }}
  >
    ${STREAMS.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
  </select>`;
}

/** Copies what is shown, not what was printed: control characters could act where it is pasted. */
function Copy({ text }: { readonly text: () => string }): Drawn {
  const [said, setSaid] = useState('Copy');
  const copy = async (): Promise<void> => {
    setSaid(
      await navigator.clipboard.writeText(text()).then(
        () => 'Copied',
        () => 'Not allowed here',
      ),
    );
  };
  return html`<button type="button" onClick=${() => void copy()} onBlur=${() => setSaid('Copy')}>${said}</button>`;
}
