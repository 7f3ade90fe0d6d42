import { useEffect, useState } from 'preact/hooks';
import type { Preview, Reclaimed } from '../answers.ts';
import { type ApiError, asApiError } from '../api-error.ts';
import { type Drawn, html } from '../html.ts';
import { lastingChoices } from '../lasting.ts';
import { costText, reclaimLines } from '../reclaim-words.ts';
import { useFormats, useNow, useServices } from '../services.ts';
import type { Subject } from './command.ts';
import { Dialog } from './dialog.ts';
import { Failure, Hint, sentence } from './failure.ts';
import { fieldValue } from './field-value.ts';
import { Foreign } from './text.ts';

/** How long jobs may have to end, in seconds; the second one by default. */
const WITHIN_S = [0, 3, 10, 60];

type Step =
  | { readonly at: 'asking' }
  | { readonly at: 'choice'; readonly preview: Preview }
  | { readonly at: 'work'; readonly jobs: number }
  | { readonly at: 'result'; readonly reclaimed: Reclaimed };

type Props = { readonly subject: Subject; readonly onClose: () => void };

/** Shows what taking GPUs back costs before it happens, and then what has happened. */
export function ReclaimDialog({ onClose, subject }: Props): Drawn {
  const { api, formats, live } = useServices();
  const now = useNow();
  const [step, setStep] = useState<Step>({ at: 'asking' });
  const [error, setError] = useState<ApiError>();
  const [within, setWithin] = useState(3);
  const [end, setEnd] = useState(-1);
  const targets = [...subject.targets];
  const lasting = lastingChoices(now, formats).at(end)?.lasting ?? {};

  const attempt = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
      setError(undefined);
    } catch (thrown) {
      setError(asApiError(thrown));
    }
  };
  const ask = (): Promise<void> =>
    attempt(async () => setStep({ at: 'choice', preview: await api.preview({ targets }) }));
  const wait = (): Promise<void> =>
    attempt(async () => {
      await api.pause({ targets, ...lasting });
      await live.refresh();
      onClose();
    });
  const reclaim = ({ jobs }: Preview): Promise<void> =>
    attempt(async () => {
      setStep({ at: 'work', jobs: jobs.length });
      const body = { targets, ...lasting, withinMs: within * 1_000, confirmed: jobs.map(({ job }) => job) };
      try {
        setStep({ at: 'result', reclaimed: await api.reclaim(body) });
      } catch (thrown) {
        // A job may have begun since the question: its cost is shown before anything happens to it.
        setStep({ at: 'choice', preview: await api.preview({ targets }) });
        throw thrown;
      }
      await live.refresh();
    });
  useEffect(() => void ask(), []);

  return html`<${Dialog} title=${`Take ${subject.name} back`} onClose=${onClose}>
    ${step.at === 'asking' && error === undefined && html`<p class="reclaim-text">Asking what that costs …</p>`}
    ${
      step.at === 'choice' &&
      html`<${Choice} preview=${step.preview} />
      <div class="choices">
        ${step.preview.jobs.length > 0 && html`<button type="button" class="primary" onClick=${() => void wait()}>Wait for them (pause)</button>`}
        <button type="button" class=${step.preview.jobs.length > 0 ? 'danger' : 'primary'} onClick=${() => void reclaim(step.preview)}>Take it back now</button>
      </div>
      <details>
        <summary>For how long, and how fast</summary>
        <label class="small">It takes no new jobs
          <select value=${end} onChange=${(event: Event) => setEnd(Number(fieldValue(event)))}>
            <option value="-1">until I resume</option>
            ${lastingChoices(now, formats)
              .slice(0, -1)
              .map(({ label }, index) => html`<option key=${index} value=${index}>${label}</option>`)}
          </select>
        </label>
        <label class="small">Jobs have to end within
          <select value=${within} onChange=${(event: Event) => setWithin(Number(fieldValue(event)))}>
            ${WITHIN_S.map((seconds) => html`<option key=${seconds} value=${seconds}>${formats.duration(seconds * 1_000)}</option>`)}
          </select>
        </label>
      </details>`
    }
    ${step.at === 'work' && html`<${Work} jobs=${step.jobs} />`}
    ${
      step.at === 'result' &&
      html`<${Result} reclaimed=${step.reclaimed} />
      <button type="button" class="primary" ref=${takeFocus} onClick=${onClose}>Done</button>`
    }
    ${error !== undefined && html`<${Failure} error=${error} />`}
    ${step.at === 'asking' && error !== undefined && html`<button type="button" onClick=${() => void ask()}>Try again</button>`}
  <//>`;
}

function Choice({ preview }: { readonly preview: Preview }): Drawn {
  const formats = useFormats();
  const now = useNow();
  if (preview.jobs.length === 0)
    return html`<p class="reclaim-text">No job runs there, so it costs nothing.</p>`;
  return html`<p class="reclaim-text">${costText(preview, now, formats)}</p>
    <ul class="reclaim-jobs small">
      ${preview.jobs.map(
        ({ endsBy, job, ranMs, unpaid, ...more }) => html`<li key=${job}>
          <${Foreign} text=${more.function} />
          <span class="figure">${formats.duration(ranMs)}</span>
          <span class="figure">${formats.money(unpaid)}</span>
          <span class="figure muted">ends by ${formats.time(endsBy, now)}</span>
        </li>`,
      )}
    </ul>`;
}

function Work({ jobs }: { readonly jobs: number }): Drawn {
  const { duration } = useFormats();
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  const what = jobs === 0 ? 'Pausing, and waiting for its memory' : 'Ending jobs, and waiting for the memory';
  return html`<p class="reclaim-text" role="status" tabindex="-1" ref=${takeFocus}>${what} …</p>
    <progress aria-label=${what}></progress>
    <p class="muted figure">${duration(seconds * 1_000)}</p>`;
}

function Result({ reclaimed }: { readonly reclaimed: Reclaimed }): Drawn {
  const formats = useFormats();
  const { problem } = reclaimed;
  return html`<ul class="reclaim-lines" role="status">
      ${reclaimLines(reclaimed, formats).map(
        ({ isDone, text }) => html`<li key=${text} class=${isDone ? 'done' : 'not-done'}>${text}</li>`,
      )}
    </ul>
    ${problem !== null && html`<div><p>${sentence(problem.why)}</p><${Hint} text=${problem.hint} /></div>`}`;
}

/** What had the focus has gone. */
function takeFocus(element: HTMLElement | null): void {
  element?.focus();
}
