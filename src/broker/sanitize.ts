import { escapeControls } from '../lib/escape.ts';
import { secretForms } from '../lib/secret-forms.ts';
import { LIMITS } from '../limits.ts';

/** The longest result, in characters. */
export const MAX_SHOWN = LIMITS.broker.errorText.max;

/** How much of the text is processed: enough for a full result after blanks are collapsed. */
const MAX_READ = 8 * MAX_SHOWN;

/** The broker's text made safe for a message: one line, shortened, without the token and control characters. */
export function sanitize(text: string, token: string): string {
  // Cut first, because an answer may have 200 MB.
  const head = text.slice(0, MAX_READ);
  const uncut = text.length > head.length ? withoutCutToken(head, token) : head;
  const safe = escapeControls(withoutToken(uncut, token).replace(/\s+/g, ' ').trim());
  return safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN)}…` : safe;
}

/** Removes the beginning of a token at the cut. */
function withoutCutToken(head: string, token: string): string {
  for (let length = token.length - 1; length > 0; length -= 1) {
    if (head.endsWith(token.slice(0, length))) return head.slice(0, -length);
  }
  return head;
}

function withoutToken(text: string, token: string): string {
  return secretForms(token).reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}
