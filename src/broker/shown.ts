import { escapeControls } from '../lib/escape.ts';
import { secretForms } from '../lib/secret-forms.ts';

/** No more than this of what a broker says is shown, in characters. */
const MOST = 500;

/** No more than this of it is looked at: enough to fill what is shown when blanks have fallen together. */
const LOOKED_AT = 8 * MOST;

/**
 * What a broker said, as it may stand in a message: on one line, without the token, shortened, and with nothing
 * in it that a terminal would obey.
 */
export function shown(text: string, token: string): string {
  // Cut first: what is shown of an answer of 200 MB must cost nothing.
  const head = text.slice(0, LOOKED_AT);
  const whole = text.length > head.length ? withoutHalfToken(head, token) : head;
  const safe = escapeControls(withoutToken(whole, token).replace(/\s+/g, ' ').trim());
  return safe.length > MOST ? `${safe.slice(0, MOST)}…` : safe;
}

/** Takes away a beginning of the token that stands where the text was cut. */
function withoutHalfToken(head: string, token: string): string {
  for (let length = token.length - 1; length > 0; length -= 1) {
    if (head.endsWith(token.slice(0, length))) return head.slice(0, -length);
  }
  return head;
}

function withoutToken(text: string, token: string): string {
  return secretForms(token).reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}
