import { escapeControls } from './escape.ts';

/** The URL of a proxy without its credentials, for people; also of one that cannot be used. */
export function withoutCredentials(written: string): string {
  const url = parseProxyUrl(written);
  if (url !== null) return url.host === '' ? `${url.protocol}…` : `${url.protocol}//${url.host}`;
  return written.includes('@') ? '[redacted]' : escapeControls(written.slice(0, 80));
}

/** The secrets of a proxy's URL: its password, as written and decoded. */
export function proxySecrets(written: string): readonly string[] {
  // Also of a URL that cannot be parsed: what is before the last @ and after a colon.
  const [, password = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^:/@]*:(.*)@[^@]*$/is.exec(written.trim()) ?? [];
  return [...new Set([password, decoded(password), parseProxyUrl(written)?.password ?? ''])].filter(
    (one) => one !== '',
  );
}

/** A scheme may be missing, as curl allows. */
export function parseProxyUrl(written: string): URL | null {
  const text = written.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  // A password with a / or # that is not escaped: what looks like the host is a part of it.
  return url !== null && `${url.pathname}${url.search}${url.hash}`.includes('@') ? null : url;
}

/** The text without percent escapes; one that is not properly escaped is taken as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
