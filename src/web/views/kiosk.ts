import type { Status } from '../answers.ts';
import { takesJobs } from '../host-words.ts';
import { type Drawn, html } from '../html.ts';
import { Banner } from '../parts/banner.ts';
import { GpuCard } from '../parts/gpu-card.ts';
import { Problem } from '../parts/problem.ts';
import { State } from '../parts/state.ts';
import { Foreign } from '../parts/text.ts';
import { Today } from '../parts/today.ts';
import { useFormats, useLive, useNow, useStatus } from '../services.ts';

/** A large view to look at only, for a display on the wall. */
export function Kiosk(): Drawn {
  const status = useStatus();
  const isGone = useLive(({ link }) => link === 'stale');
  return html`<${Banner} />
  <main class="kiosk">
    ${
      status === undefined
        ? html`<h1>${isGone ? 'The agent does not answer' : 'Asking the agent …'}</h1>`
        : html`<${Host} status=${status} />`
    }
  </main>`;
}

function Host({ status }: { readonly status: Status }): Drawn {
  const formats = useFormats();
  const now = useNow();
  return html`<header class="kiosk-head">
      <p class="kiosk-host"><${Foreign} text=${status.host} /></p>
      <p class="muted figure">${formats.time(now, now)}</p>
    </header>
    <${State} status=${status} />
    <${Today} status=${status} />
    <div class="cards">
      ${status.targets.map((target) => html`<${GpuCard} key=${target.target} target=${target} isTaking=${takesJobs(status.state)} isKiosk=${true} />`)}
    </div>
    <${Problem} status=${status} />`;
}
