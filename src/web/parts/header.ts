import { type Drawn, html } from '../html.ts';
import { type Route, VIEWS } from '../routes.ts';
import { useStatus } from '../services.ts';
import { HostControls } from './host-controls.ts';
import { Foreign } from './text.ts';

/** The host's name and the navigation, which is at the bottom of a phone. */
export function Header({ current }: { readonly current: Route['view'] }): Drawn {
  const status = useStatus();
  return html`<a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header class="top">
      <a class="brand" href="#/"><${Mark} /><${Foreign} text=${status?.host ?? 'sharedcloud-agent'} /></a>
      <nav class="nav" aria-label="Views">
        ${VIEWS.map(
          ({ path, title, view }) =>
            html`<a key=${view} href=${path} aria-current=${view === current ? 'page' : undefined}>${title}</a>`,
        )}
      </nav>
      <${HostControls} />
    </header>`;
}

/** The part behind `#` belongs to the routes. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('main h1')?.focus();
}

function Mark(): Drawn {
  return html`<svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
    <rect x="1" y="4" width="14" height="8" rx="1.5" /><circle cx="6" cy="8" r="2.4" /><circle cx="11.5" cy="8" r="1.4" />
  </svg>`;
}
