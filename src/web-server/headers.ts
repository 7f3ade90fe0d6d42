/** What every answer of the page says to browsers: nothing from elsewhere, in no frame, and as it is named. */
export const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Files say `no-cache` instead, so that they are asked for again but not sent again.
  'cache-control': 'no-store',
} as const;

/** The header with the key of a session. */
export const KEY_HEADER = 'x-sharedcloud-key';

/** The values of the cookies with a name; another port of this host may have set more of them. */
export function cookiesNamed(name: string, header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1))
    .slice(0, MAX_COOKIES);
}

const MAX_COOKIES = 4;

/** `Set-Cookie` for a value until `maxAgeMs` from now; 0 ends it. */
export function cookieHeader(name: string, value: string, maxAgeMs: number, isSecure: boolean): string {
  const age = Math.floor(maxAgeMs / 1000);
  return `${name}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
