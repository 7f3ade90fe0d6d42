import { type Drawn, html } from '../html.ts';
import { useFormats, useLive } from '../services.ts';

/** Says when what is shown is old, or the page itself is. It lies over the page, so that nothing jumps. */
export function Banner(): Drawn {
  const { duration } = useFormats();
  const silentMs = useLive(({ link, silentMs }) => (link === 'stale' ? silentMs : undefined));
  const isOutdated = useLive((state) => state.isOutdated);
  if (silentMs !== undefined)
    return html`<div class="banner banner-warn">
      <span>The agent does not answer. Stale since <span class="figure">${duration(silentMs)}</span>.</span>
    </div>`;
  if (isOutdated)
    return html`<div class="banner">
      <span>The agent has another version now.</span>
      <button type="button" onClick=${() => location.reload()}>Reload</button>
    </div>`;
  return null;
}
