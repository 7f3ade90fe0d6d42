import type { Status } from '../answers.ts';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { listed } from '../say.ts';
import { useFormats } from '../services.ts';

/** What today has brought: what the broker has confirmed, and apart from it what waits for the broker. */
export function Today({
  status: { pending, today },
}: {
  readonly status: Pick<Status, 'pending' | 'today'>;
}): Drawn {
  const { count, money } = useFormats();
  const { succeeded, ...others } = today.jobs;
  const total = Object.values(today.jobs).reduce((sum, jobs) => sum + jobs, 0);
  const rest = Object.entries(others).flatMap(([kind, jobs]) => (jobs > 0 ? [`${count(jobs)} ${kind}`] : []));
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
    <div title=${`${count(succeeded)} succeeded${rest.map((text) => `, ${text}`).join('')}`}>
      <dt>Jobs ended</dt>
      <dd class="figure">${count(total)}${rest.length > 0 && html` <span class="today-rest">(${listed(rest)})</span>`}</dd>
    </div>
  </dl>`;
}
