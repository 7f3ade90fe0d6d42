import type { Job as JobAnswer } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { hasEnded, payOf, stateWords, whyUnpaid } from '../job-words.ts';
import { jobMoney } from '../money-words.ts';
import { useAnswer } from '../parts/answer.ts';
import { Badge } from '../parts/badge.ts';
import { Facts } from '../parts/facts.ts';
import { gpuName, useGpuNames } from '../parts/gpu-names.ts';
import { JobOutput } from '../parts/output.ts';
import { Foreign } from '../parts/text.ts';
import { Trouble } from '../parts/trouble.ts';
import { useChangedJobs } from '../parts/use-jobs.ts';
import { Whole } from '../parts/whole.ts';
import { useApi, useFormats, useStatus } from '../services.ts';
import { offerName } from '../target-words.ts';

/** Everything about one job, with its output. */
export function Job({ id }: { readonly id: string }): Drawn {
  const api = useApi();
  const answer = useAnswer(() => api.job(id), [id], 30_000);
  const { ask, problem, value: job } = answer;
  useChangedJobs(async (ids) => {
    if (job !== undefined && ids.has(job.job)) ask();
  });
  return html`<p class="back"><a href="#/jobs">All jobs</a></p>
    <h1 tabindex="-1">Job <${Foreign} text=${job?.function ?? id} /></h1>
    <${Trouble} answer=${answer} />
    ${job === undefined && problem === undefined && html`<p class="waiting">Loading …</p>`}
    ${
      job !== undefined &&
      html`<div class="job-page">
        <div class="job-page-side">
          <${Summary} job=${job} />
          <${States} job=${job} />
        </div>
        <${JobOutput} job=${job.job} />
      </div>`
    }`;
}

function Summary({ job }: { readonly job: JobAnswer }): Drawn {
  const formats = useFormats();
  const { bytes, duration, instant, price } = formats;
  const names = useGpuNames();
  const ran = useRanMs(job);
  const { tone, words } = stateWords(job);
  return html`<section class="card" aria-label="Summary">
    <p class="job-page-state"><${Badge} tone=${tone} word=${words} /> <${Earned} job=${job} /></p>
    ${job.note !== null && html`<p class="job-note"><${Whole} text=${job.note} /></p>`}
    <${Facts}
      facts=${[
        ['Ran for', ran === null ? null : duration(ran)],
        ['At most', duration(job.timeoutMs)],
        ['Ask', `${price(job.askPrice)} per minute`],
        ...jobMoney(job, formats),
        ['GPU', html`<${Foreign} text=${gpuName(names, job.gpu)} />`],
        ['Offer', html`<${Foreign} text=${offerName(job.offer)} />`],
        ['Image', html`<${Whole} text=${job.image} />`],
        ['Claimed', instant(job.claimedAt)],
        ['Started', job.startedAt && instant(job.startedAt)],
        ['Ended', job.endedAt && instant(job.endedAt)],
        ['Sent', job.sentBytes === null ? null : bytes(job.sentBytes)],
        ['Received', job.receivedBytes === null ? null : bytes(job.receivedBytes)],
        ['Address', job.address],
        ['Job', html`<${Whole} text=${job.job} />`],
        ['Run', html`<${Whole} text=${job.run} />`],
        ['Container', job.container && html`<${Whole} text=${job.container} />`],
        ['Broker', job.broker && html`<${Whole} text=${job.broker} />`],
      ]}
    />
  </section>`;
}

function Earned({ job }: { readonly job: JobAnswer }): Drawn {
  const { money } = useFormats();
  switch (payOf(job)) {
    case 'paid':
      return html`<b>${money(job.earned ?? 0)}</b> earned`;
    case 'pending':
      return 'its pay is pending: the broker has not accepted the report yet';
    case 'unpaid':
      return html`not paid${whyUnpaid(job) !== undefined && html`: <${Whole} text=${whyUnpaid(job)} />`}`;
    case 'open':
      return null;
  }
}

function States({ job }: { readonly job: JobAnswer }): Drawn {
  const { instant, second } = useFormats();
  return html`<section class="card" aria-labelledby="states-title">
    <h2 id="states-title">What happened</h2>
    <ol class="states">
      ${job.history.map(
        (change, index) => html`<li key=${index}>
          <time datetime=${change.at} title=${instant(change.at)}>${second(change.at)}</time>
          <span>${change.state}${change.outcome !== null && `, ${stateWords(change).words}`}${change.why !== null && html`: <${Whole} text=${change.why} />`}</span>
        </li>`,
      )}
    </ol>
  </section>`;
}

/** How long it has run, by the clock of the host; null: it has not started. */
function useRanMs(job: JobAnswer): number | null {
  const at = useStatus()?.at;
  if (hasEnded(job) || job.startedAt === null || at === undefined) return job.durationMs;
  return Math.max(Date.parse(at) - Date.parse(job.startedAt), 0);
}
