import type { Status } from '../answers.ts';
import { counted, listed } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { unsuccessful } from '../job-words.ts';
import { useFormats } from '../services.ts';

/** What today has brought: what the broker has confirmed, and apart from it what waits for the broker. */
export function Today({
  status: { pending, today },
}: {
  readonly status: Pick<Status, 'pending' | 'today'>;
}): Drawn {
  const { count, money } = useFormats();
  const { net, unpricedJobs } = today;
  const total = Object.values(today.jobs).reduce((sum, jobs) => sum + jobs, 0);
  const rest = unsuccessful(today.jobs, count);
  const waiting = [
    ...(pending.reports > 0 ? [counted(pending.reports, 'report')] : []),
    ...(pending.releases > 0 ? [counted(pending.releases, 'release')] : []),
  ];
  return html`<dl class="today card">
    <div class="today-main" title="Confirmed by the broker">
      <dt>Earned today</dt>
      <dd class="figure">${money(today.earned)}</dd>
    </div>
    <div title=${waiting.length === 0 ? undefined : `Wait for the broker: ${listed(waiting)}`}>
      <dt>Pending</dt>
      <dd class="figure">${money(pending.earned)}</dd>
    </div>
    <div>
      <dt>Jobs ended</dt>
      <dd class="figure">${count(total)}</dd>
    </div>
    ${
      net !== null &&
      html`<div class="today-rest" title="Earned less what the power of these jobs has cost"><dt>Net</dt><dd>${unpricedJobs > 0 ? 'at most ' : ''}${money(net)}</dd></div>`
    }
    ${rest.length > 0 && html`<div class="today-rest"><dt>Not succeeded</dt><dd>${listed(rest)}</dd></div>`}
  </dl>`;
}
