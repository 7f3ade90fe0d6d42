import { asAgentError } from '../../domain/errors.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { LIMITS } from '../../limits.ts';
import type { Part } from './parts.ts';
import { missing } from './run-tail.ts';
import { scrub, withoutNames } from './scrub.ts';

/** A file of the bundle as it is described in the manifest. */
export type Collected = {
  readonly file: string;
  readonly how: string;
  readonly leftOut: string | null;
  /** Its text; null: it is missing. */
  readonly text: string | null;
  /** Characters of its beginning that are left out, because it is too large. */
  readonly cut: number;
  readonly why: string | null;
  readonly hint: string | null;
};

/** How texts are made safe. */
export type Safety = {
  /** Removes known secrets. */
  readonly redact: (text: string) => string;
  /** Undefined: names of functions stay. */
  readonly names: (() => readonly string[]) | undefined;
};

/** Makes all parts side by side, each in its time; one that cannot be made is named. Throws where the signal aborts. */
export async function collectParts(
  parts: readonly Part[],
  safety: Safety,
  signal: AbortSignal,
): Promise<readonly Collected[]> {
  const collected = await Promise.all(parts.map((part) => collectPart(part, safety, signal)));
  signal.throwIfAborted();
  return collected;
}

async function collectPart(part: Part, safety: Safety, signal: AbortSignal): Promise<Collected> {
  const { file, hasNames, how, leftOut = null, ms } = part;
  const about = { file, how, leftOut };
  const safe = (text: string): string => {
    const { names, redact } = safety;
    const scrubbed = scrub(redact(text));
    return hasNames !== true || names === undefined ? scrubbed : withoutNames(scrubbed, names());
  };
  try {
    const error = missing(`it took longer than ${ms / 1000} s`);
    const text = safe(await withDeadline({ ms, error, signal }, (inTime) => part.make(inTime)));
    const cut = Math.max(text.length - LIMITS.host.bundleFile.max, 0);
    return { ...about, text: text.slice(cut), cut, why: null, hint: null };
  } catch (thrown) {
    const { hint, message } = asAgentError(thrown);
    return { ...about, text: null, cut: 0, why: safe(message), hint: hint === undefined ? null : safe(hint) };
  }
}
