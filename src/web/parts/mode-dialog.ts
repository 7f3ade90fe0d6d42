import { useState } from 'preact/hooks';
import type { Target } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { lastingChoices } from '../lasting.ts';
import { useApi, useFormats, useNow } from '../services.ts';
import { type Subject, useCommand } from './command.ts';
import { Dialog } from './dialog.ts';
import { Failure, sentence } from './failure.ts';
import { fieldValue } from './field-value.ts';

const MODES = [
  { mode: 'auto', title: 'Auto', does: 'Schedule and presence decide.' },
  {
    mode: 'on',
    title: 'On',
    does: 'Takes jobs whatever schedule and presence say; a faulty or hot GPU still takes none.',
  },
  { mode: 'off', title: 'Off', does: 'Takes no new jobs.' },
] as const;

/** What lasts: whether rules decide. `above` and `below` are more that can be done. */
export function ModeDialog({
  above,
  below,
  mode,
  onClose,
  subject,
}: {
  readonly subject: Subject;
  /** Undefined: the targets have several. */
  readonly mode: Target['mode'] | undefined;
  readonly onClose: () => void;
  readonly above?: Drawn;
  readonly below?: Drawn;
}): Drawn {
  const api = useApi();
  const formats = useFormats();
  const now = useNow();
  const { error, give, isBusy } = useCommand();
  const [choice, setChoice] = useState('');
  const choices = lastingChoices(now, formats).slice(0, -1);
  const set = async (next: Target['mode']): Promise<void> => {
    const lasting = next === 'auto' ? {} : (choices[Number.parseInt(choice, 10)]?.lasting ?? {});
    if (await give(() => api.mode({ targets: [...subject.targets], mode: next, ...lasting }))) onClose();
  };
  const resume = async (): Promise<void> => {
    if (await give(() => api.resume({ targets: [...subject.targets] }))) onClose();
  };
  return html`<${Dialog} title=${sentence(subject.name)} onClose=${onClose}>
    ${above}
    <button type="button" disabled=${isBusy} onClick=${() => void resume()}>End all pauses</button>
    <div class="modes" role="group" aria-labelledby="mode-title">
      <h3 id="mode-title">Mode</h3>
      ${MODES.map(
        (one) =>
          html`<button type="button" key=${one.mode} class="mode" aria-pressed=${one.mode === mode} disabled=${isBusy} onClick=${() => void set(one.mode)}>
            <span>${one.title}</span><span class="mode-does">${one.does}</span>
          </button>`,
      )}
      <label class="small">On and off last
        <select value=${choice} onChange=${(event: Event) => setChoice(fieldValue(event))}>
          <option value="">until I change it</option>
          ${choices.map(({ label }, index) => html`<option key=${index} value=${index}>${label}</option>`)}
        </select>
      </label>
    </div>
    ${below}
    ${error !== undefined && html`<${Failure} error=${error} />`}
  <//>`;
}
