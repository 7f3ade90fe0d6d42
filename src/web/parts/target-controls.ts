import { useState } from 'preact/hooks';
import type { Target } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { useApi, useIsAnswering } from '../services.ts';
import { isPaused } from '../target-words.ts';
import { useCommand } from './command.ts';
import { Dialog } from './dialog.ts';
import { Failure } from './failure.ts';
import { Dots } from './icons.ts';
import { ModeDialog } from './mode-dialog.ts';
import { PauseDialog } from './pause-dialog.ts';
import { ReclaimDialog } from './reclaim-dialog.ts';

/** What an owner can do with one target. */
export function TargetControls({ name, target }: { readonly target: Target; readonly name: string }): Drawn {
  const api = useApi();
  const isAnswering = useIsAnswering();
  const [open, setOpen] = useState<'pause' | 'reclaim' | 'mode'>();
  const { clear, error, give, isBusy } = useCommand();
  const subject = { targets: [target.target], name };
  const close = (): void => setOpen(undefined);
  const resume = (): void => void give(() => api.resume({ targets: [...subject.targets] }));
  return html`<div class=${isAnswering ? 'gpu-actions' : 'gpu-actions absent'}>
    ${
      isPaused(target)
        ? html`<button type="button" class="primary" disabled=${isBusy} aria-label=${`Resume ${name}`} onClick=${resume}>Resume</button>`
        : html`<button type="button" aria-label=${`Pause ${name}`} onClick=${() => setOpen('pause')}>Pause</button>`
    }
    <button type="button" aria-label=${`Take it back: ${name}`} onClick=${() => setOpen('reclaim')}>Take it back</button>
    <button type="button" class="icon-button" aria-label=${`More for ${name}`} onClick=${() => setOpen('mode')}><${Dots} /></button>
    ${open === 'pause' && html`<${PauseDialog} subject=${subject} onClose=${close} />`}
    ${open === 'reclaim' && html`<${ReclaimDialog} subject=${subject} onClose=${close} />`}
    ${open === 'mode' && html`<${ModeDialog} subject=${subject} mode=${target.mode} onClose=${close} />`}
    ${
      error !== undefined &&
      html`<${Dialog} title=${`${name} was not resumed`} onClose=${clear}><${Failure} error=${error} /><//>`
    }
  </div>`;
}
