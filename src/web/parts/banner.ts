import { type Drawn, html } from '../html.ts';
import { useFormats, useLive } from '../services.ts';

/** Says when what is shown is old, or the page itself is. It lies over the page, so that nothing jumps. */
export function Banner(): Drawn {
  const { duration } = useFormats();
  const silentMs = useLive(({ link, silentMs }) => (link === 'stale' ? silentMs : undefined));
  const isOutdated = useLive((state) => state.isOutdated);
  if (silentMs !== undefined)
    return html`<section class="banner banner-warn" aria-label="Connection">
      <span>The agent does not answer. Stale since <span class="figure">${duration(silentMs)}</span>.</span>
    </section>`;
  if (isOutdated)
    return html`<section class="banner" aria-label="Version">
      <span>The agent has another version now.</span>
      <button type="button" onClick=${() => location.reload()}>Reload</button>
    </section>`;
  return null;
}
