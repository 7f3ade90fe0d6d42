import type { Status } from '../answers.ts';
import { takesJobs } from '../host-words.ts';
import { type Drawn, html } from '../html.ts';
import { GpuCard } from '../parts/gpu-card.ts';
import { Offers } from '../parts/offers.ts';
import { Problem } from '../parts/problem.ts';
import { Pulls } from '../parts/pulls.ts';
import { State } from '../parts/state.ts';
import { Today } from '../parts/today.ts';
import { useLive, useStatus } from '../services.ts';
import { Plots } from './plots.ts';

/** What the host does now: all that an owner needs at first sight. */
export function Now(): Drawn {
  const status = useStatus();
  const isGone = useLive(({ link }) => link === 'stale');
  if (status === undefined) return isGone ? html`<${Gone} />` : html`<${Loading} />`;
  return html`<${Known} status=${status} />`;
}

function Known({ status }: { readonly status: Status }): Drawn {
  const { targets } = status;
  return html`<div class="now">
    <div class="now-summary">
      <${State} status=${status} />
      <${Today} status=${status} />
    </div>
    <div class="cards">
      ${targets.map((target) => html`<${GpuCard} key=${target.target} target=${target} isTaking=${takesJobs(status.state)} />`)}
      ${targets.length === 0 && html`<${NoTargets} status=${status} />`}
    </div>
    <${Problem} status=${status} />
    <div class="now-more">
      <${Pulls} pulls=${status.pulls} />
      <${Offers} offers=${status.offers} />
      <${Plots} />
    </div>
  </div>`;
}

function NoTargets({ status }: { readonly status: Status }): Drawn {
  return status.state === 'starting'
    ? html`<section class="card now-empty"><h2>No GPU is known yet</h2><p class="muted">The agent asks nvidia-smi. This takes some seconds after a start.</p></section>`
    : html`<section class="card now-empty">
        <h2>There is no GPU that could be offered</h2>
        <p class="hint">To see what is missing, run this on the host: <code>sharedcloud-agent check</code></p>
      </section>`;
}

function Gone(): Drawn {
  return html`<section class="card now-empty">
    <h1 tabindex="-1">The agent does not answer</h1>
    <p>This page continues by itself as soon as it does.</p>
    <p class="hint">To see whether it runs, on the host: <code>sharedcloud-agent status</code></p>
  </section>`;
}

/** In the place of what comes, so that nothing jumps. */
function Loading(): Drawn {
  return html`<div class="now" aria-busy="true">
    <div class="now-summary">
      <section class="state"><h1 tabindex="-1">Asking the agent …</h1><p class="besides"></p></section>
      <div class="today card"></div>
    </div>
    <div class="cards"><div class="card gpu gpu-empty"></div></div>
  </div>`;
}
