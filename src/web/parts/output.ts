import { useEffect, useRef, useState } from 'preact/hooks';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { useApi } from '../services.ts';
import { fieldValue } from './field-value.ts';
import { followOutput, type Phase } from './follow-output.ts';
import { LineView } from './line-view.ts';

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
      const chosen = STREAMS.find(([name]) => name === fieldValue(event));
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
