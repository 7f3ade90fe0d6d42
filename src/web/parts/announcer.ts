import { visible } from '../format.ts';
import { STATE_WORDS } from '../host-words.ts';
import { type Drawn, html } from '../html.ts';
import { useLive } from '../services.ts';

/** Tells a screen reader when the state changes, and nothing that only counts on. */
export function Announcer(): Drawn {
  const words = useLive(({ link, status }) => {
    if (status === undefined) return '';
    if (link === 'stale') return 'The agent does not answer.';
    const { problem, reason, state } = status;
    const parts = [STATE_WORDS[state], reason?.why, problem?.why];
    return `${visible(parts.filter((part) => part !== undefined).join('. '))}.`;
  });
  return html`<div class="unseen" role="status">${words}</div>`;
}
