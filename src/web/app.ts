import { useEffect, useRef, useState } from 'preact/hooks';
import { type Drawn, html } from './html.ts';
import { Announcer } from './parts/announcer.ts';
import { Banner } from './parts/banner.ts';
import { Header } from './parts/header.ts';
import { type Route, routeOf } from './routes.ts';
import { type Services, ServicesContext, useLive } from './services.ts';
import { useTitle } from './title.ts';
import { Events } from './views/events.ts';
import { Job } from './views/job.ts';
import { Jobs } from './views/jobs.ts';
import { Kiosk } from './views/kiosk.ts';
import { Market } from './views/market.ts';
import { Money } from './views/money.ts';
import { Now } from './views/now.ts';
import { Settings } from './views/settings.ts';
import { SignIn } from './views/sign-in.ts';

type Options = { readonly isKiosk: boolean; readonly link: string | undefined };

/** The whole page. */
export function App({ services, ...options }: Options & { readonly services: Services }): Drawn {
  return html`<${ServicesContext.Provider} value=${services}><${Page} ...${options} /><//>`;
}

/** Who follows a one-time link is signed in by it, also in place of a session that there is. */
function Page({ isKiosk, link }: Options): Drawn {
  const isSignedOut = useLive((state) => state.link === 'signed-out');
  const [isLinkUsed, setLinkUsed] = useState(link === undefined);
  useTitle();
  if (!isLinkUsed || isSignedOut)
    return html`<${SignIn} link=${isLinkUsed ? undefined : link} onDone=${() => setLinkUsed(true)} />`;
  return isKiosk ? html`<${Kiosk} />` : html`<${Shell} />`;
}

function Shell(): Drawn {
  const [route, setRoute] = useState<Route>(() => routeOf(location.hash));
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const change = (): void => setRoute(routeOf(location.hash));
    addEventListener('hashchange', change);
    // The address may have changed since it was first drawn.
    change();
    return () => removeEventListener('hashchange', change);
  }, []);
  const place = route.view === 'job' ? `job ${route.id}` : route.view;
  const first = useRef(place);
  useEffect(() => {
    if (first.current === place) return;
    first.current = place;
    scrollTo(0, 0);
    // A screen reader continues at the new view’s heading.
    main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [place]);
  return html`<div class="page">
    <${Header} current=${route.view === 'job' ? 'jobs' : route.view} />
    <${Banner} />
    <main ref=${main} id="main" class=${`view view-${route.view}`}>${viewOf(route)}</main>
    <${Announcer} />
  </div>`;
}

function viewOf(route: Route): Drawn {
  switch (route.view) {
    case 'now':
      return html`<${Now} />`;
    case 'jobs':
      return html`<${Jobs} />`;
    case 'job':
      return html`<${Job} id=${route.id} key=${route.id} />`;
    case 'market':
      return html`<${Market} />`;
    case 'money':
      return html`<${Money} />`;
    case 'events':
      return html`<${Events} />`;
    case 'settings':
      return html`<${Settings} />`;
    case 'none':
      return html`<h1 tabindex="-1">There is no such view</h1>
        <p><a href="#/">What the host does now</a></p>`;
  }
}
