import type { Page } from '../../../src/cli/lines.ts';

/** A page of this width, with a `secret` that must not be printed. */
export function aPage(columns: number, secret?: string): Page {
  return {
    columns,
    redact: (text) => (secret === undefined ? text : text.replaceAll(secret, '[redacted]')),
  };
}
