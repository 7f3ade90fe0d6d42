import { useRef } from 'preact/hooks';
import { type Drawn, html } from '../html.ts';
import { type Lasting, lastingChoices, typedEnd } from '../lasting.ts';
import { useApi, useFormats, useNow } from '../services.ts';
import { type Subject, useCommand } from './command.ts';
import { Dialog } from './dialog.ts';
import { Failure } from './failure.ts';

/** Asks for how long to pause; one tap on an end does it. */
export function PauseDialog({
  onClose,
  subject,
}: {
  readonly subject: Subject;
  readonly onClose: () => void;
}): Drawn {
  const api = useApi();
  const formats = useFormats();
  const now = useNow();
  const { error, give, isBusy } = useCommand();
  const note = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLInputElement>(null);
  const pause = async (lasting: Lasting): Promise<void> => {
    const words = note.current?.value.trim();
    const body = { targets: [...subject.targets], ...lasting, ...(words && { note: words }) };
    if (await give(() => api.pause(body))) onClose();
  };
  const pauseUntil = (event: Event): void => {
    event.preventDefault();
    const until = typedEnd(end.current?.value ?? '');
    if (until !== undefined) void pause({ until });
  };
  return html`<${Dialog} title=${`Pause ${subject.name}`} onClose=${onClose}>
    <p class="muted">It takes no new jobs. Those that run go on to their end, and are paid.</p>
    <div class="choices">
      ${lastingChoices(now, formats).map(
        ({ label, lasting }) =>
          html`<button type="button" key=${label} disabled=${isBusy} onClick=${() => void pause(lasting)}>${label}</button>`,
      )}
    </div>
    <label class="small">Note, shown to all who look <input ref=${note} maxlength="200" autocomplete="off" placeholder="gaming night" /></label>
    <details>
      <summary>Another end</summary>
      <form class="inline" onSubmit=${pauseUntil}>
        <input ref=${end} type="datetime-local" aria-label="Until" required />
        <button type="submit" disabled=${isBusy}>Pause</button>
      </form>
      <button type="button" class="wide" disabled=${isBusy} onClick=${() => void pause({ untilNext: true })}>
        Until the next change of the schedule
      </button>
    </details>
    ${error !== undefined && html`<${Failure} error=${error} />`}
  <//>`;
}
