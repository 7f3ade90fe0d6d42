import { useState } from 'preact/hooks';
import { type Drawn, html } from '../html.ts';
import { useIsAnswering, useMayControl, useServices, useStatus } from '../services.ts';
import { isAllPaused, modeOf } from '../target-words.ts';
import { useCommand } from './command.ts';
import { Dialog } from './dialog.ts';
import { Failure } from './failure.ts';
import { Dots } from './icons.ts';
import { ModeDialog } from './mode-dialog.ts';
import { PauseDialog } from './pause-dialog.ts';
import { ReclaimDialog } from './reclaim-dialog.ts';

const EVERYTHING = { targets: [], name: 'everything' };

/** What an owner can do with everything at once, and with the session. */
export function HostControls(): Drawn {
  const { api, live } = useServices();
  const status = useStatus();
  const [open, setOpen] = useState<'pause' | 'reclaim' | 'more'>();
  const { clear, error, give, isBusy } = useCommand();
  const mayControl = useMayControl();
  const isAnswering = useIsAnswering();
  const close = (): void => setOpen(undefined);
  const resume = (): void => void give(() => api.resume({}));
  const signOut = async (): Promise<void> => {
    if (!(await give(() => api.signOut()))) return;
    live.signedOut();
  };
  const signOutButton = html`<button type="button" class="quiet" onClick=${() => void signOut()}>Sign out</button>`;
  const isPaused = status !== undefined && isAllPaused(status);
  return html`<div class=${isAnswering ? 'host-controls' : 'host-controls absent'}>
    ${
      !mayControl
        ? html`<span class="badge">read-only</span>`
        : isPaused
          ? html`<button type="button" class="primary" disabled=${isBusy} onClick=${resume}>Resume all</button>`
          : html`<button type="button" onClick=${() => setOpen('pause')}>Pause all</button>`
    }
    <button type="button" class="icon-button" aria-label="More for everything" onClick=${() => setOpen('more')}><${Dots} /></button>
    ${open === 'pause' && html`<${PauseDialog} subject=${EVERYTHING} onClose=${close} />`}
    ${open === 'reclaim' && html`<${ReclaimDialog} subject=${EVERYTHING} onClose=${close} />`}
    ${
      open === 'more' &&
      mayControl &&
      html`<${ModeDialog} subject=${EVERYTHING} mode=${modeOf(status?.targets ?? [])} onClose=${close} below=${signOutButton}
        above=${html`<button type="button" onClick=${() => setOpen('reclaim')}>Take everything back …</button>
          <button type="button" onClick=${() => setOpen('pause')}>Pause everything …</button>`} />`
    }
    ${
      open === 'more' &&
      !mayControl &&
      html`<${Dialog} title="This session" onClose=${close}>
        <p>It is for looking only. To change something, run this on the host as the agent’s user, and open what it prints:</p>
        <p><code>sharedcloud-agent page</code></p>
        ${signOutButton}
      <//>`
    }
    ${error !== undefined && html`<${Dialog} title="Not done" onClose=${clear}><${Failure} error=${error} /><//>`}
  </div>`;
}
