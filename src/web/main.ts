import { render } from 'preact';
import { Api } from './api.ts';
import { asApiError } from './api-error.ts';
import { App } from './app.ts';
import { formatsOf } from './format.ts';
import { html } from './html.ts';
import { Live } from './live.ts';
import { linkIn, Sessions } from './session.ts';

const root = document.getElementById('app');
if (root !== null) start(root);

function start(root: HTMLElement): void {
  const sessions = new Sessions({
    getItem: (name) => localStorage.getItem(name),
    setItem: (name, value) => localStorage.setItem(name, value),
    removeItem: (name) => localStorage.removeItem(name),
  });
  const api: Api = new Api(sessions, () => live.signedOut());
  const live = new Live({
    open: (since, { onEnd, onItem }) => {
      const source = new EventSource(api.streamUrl('/api/live', { since }));
      source.addEventListener('message', ({ data, lastEventId }) => onItem(String(data), lastEventId));
      source.addEventListener('error', onEnd);
      return () => source.close();
    },
    fetchStatus: api.status,
    isSignedOut: (thrown) => asApiError(thrown).isSignedOut,
    now: () => performance.now(),
    every: (ms, act) => {
      const timer = setInterval(act, ms);
      return () => clearInterval(timer);
    },
  });
  const services = { api, live, sessions, formats: formatsOf(navigator.languages) };
  const isKiosk = new URLSearchParams(location.search).get('view') === 'kiosk';
  const link = linkIn(location.hash);
  // A one-time link is of no use in the history, and of no business to who looks over a shoulder.
  if (link !== undefined) history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  document.addEventListener('visibilitychange', () => follow(live));
  render(html`<${App} services=${services} isKiosk=${isKiosk} link=${link} />`, root);
  if (link === undefined) follow(live);
}

/** A page that nobody sees keeps no connection. */
function follow(live: Live): void {
  if (document.visibilityState === 'hidden') live.stop();
  else if (live.state.link !== 'signed-out') live.start();
}
