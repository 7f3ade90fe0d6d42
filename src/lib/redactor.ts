import { secretForms } from './secret-forms.ts';

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** In characters. A shorter one is part of ordinary words, and anyone can guess it: hiding it would only spoil text. */
export const MIN_SECRET_LENGTH = 4;

const MAX_SECRETS_OF_OWNER = 8;

/** Removes the secrets from text that is about to be shown. */
export class Redactor {
  readonly #secrets = new Map<string, readonly string[]>();
  #forms: readonly string[] = [];

  /**
   * Removes this secret too from now on, unless it is shorter than MIN_SECRET_LENGTH. Of one owner only the last few are
   * kept: some are new every hour.
   */
  add(secret: string, owner = ''): void {
    if (secret.length < MIN_SECRET_LENGTH) return;
    const known = this.#secrets.get(owner) ?? [];
    if (known.includes(secret)) return;
    const kept = owner === '' ? known : known.slice(1 - MAX_SECRETS_OF_OWNER);
    this.#secrets.set(owner, [...kept, secret]);
    const forms = [...this.#secrets.values()].flat().flatMap(secretForms);
    this.#forms = [...new Set(forms)].sort((a, b) => b.length - a.length);
  }

  /** Whether a secret is somewhere in the text, in any writing of it. */
  finds(text: string): boolean {
    return this.#forms.some((form) => text.includes(form));
  }

  /** The text with `[redacted]` in place of each secret. */
  text(text: string): string {
    return this.finds(text)
      ? this.#forms.reduce((rest, form) => rest.replaceAll(form, REDACTED), text)
      : text;
  }

  /** The same for a line of JSON, which stays valid JSON even where a secret looks like a number. */
  line(json: string): string {
    return this.finds(json) ? `${JSON.stringify(this.#value(JSON.parse(json)))}\n` : json;
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number' && this.finds(String(value))) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [this.text(key), this.#value(inner)]),
    );
  }
}
