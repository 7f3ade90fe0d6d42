import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.ts';

const LEFT_OUT = '[redacted]';

/** What is taken out of every text beside the known secrets, in the words of the manifest. */
export const SCRUBBED: readonly string[] = [
  'the token, and what the files with secrets contain that this user may read, in every writing',
  'Authorization and cookie headers, and Bearer, Basic and Token credentials',
  'user names and passwords in URLs, and values of keys such as password, token, secret and key',
  'public IP addresses; private ones stay',
  'serial numbers of GPUs, and names of processes that use them',
];

const CREDENTIAL_WORDS = String.raw`pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|signature|session|cookie|x-sharedcloud-key`;

/** Each with what stays of a match. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, LEFT_OUT],
  // Of a header everything to the end of its line or its JSON string.
  [/((?:proxy-)?authorization|set-cookie|cookie)("?\s*[:=]\s*"?)[^"\r\n]+/gi, `$1$2${LEFT_OUT}`],
  [/\b(Bearer|Basic|Token)\s+(?!\[redacted\])(?=[^\s"',;]*[\d_\-+/=])[^\s"',;]{6,}/g, `$1 ${LEFT_OUT}`],
  // No longer scheme: each letter of a long word may begin one, so the time would grow with the square of its length.
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/"'@]+@/gi, `$1${LEFT_OUT}@`],
  [
    new RegExp(
      String.raw`((?:^|[?&#;=\s"'{,])[\w.-]*?(?:${CREDENTIAL_WORDS}|key|link)\s*=\s*)(?!\[redacted\])[^\s&"',;]+`,
      'gim',
    ),
    `$1${LEFT_OUT}`,
  ],
  [
    new RegExp(String.raw`("[\w.-]*?(?:${CREDENTIAL_WORDS})"\s*:\s*)"(?!\[redacted\])(?:[^"\\]|\\.)*"`, 'gi'),
    `$1"${LEFT_OUT}"`,
  ],
  [/\b(pass(?:word|wd|phrase))(\s*:\s+)(?!\[redacted\])[^\s"',;]+/gi, `$1$2${LEFT_OUT}`],
  [/\b(?:tk_[A-Za-z0-9]{20,}|gh[pousr]_\w{20,}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]*)/g, LEFT_OUT],
];

/** What names a buyer's function: a field of the log, and of what the agent answers. */
const FUNCTION_FIELDS: readonly (readonly [RegExp, string])[] = [
  [/("function(?:Name)?"\s*:\s*)"(?:[^"\\]|\\.)*"/g, `$1"${LEFT_OUT}"`],
  [/\b(function=)(?:"(?:[^"\\]|\\.)*"|\S+)/g, `$1${LEFT_OUT}`],
];

/** The text without credentials that have their usual forms, and without public addresses. Pure. */
export function scrub(text: string): string {
  const safe = RULES.reduce((rest, [pattern, kept]) => rest.replace(pattern, kept), text);
  return safe
    .replace(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g, withoutPublic)
    .replace(/(?<![\w:])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?![\w:])/gi, withoutPublic);
}

/** The text without the names of functions; `known` are those that the journal names. Pure. */
export function withoutNames(text: string, known: readonly string[]): string {
  const safe = FUNCTION_FIELDS.reduce((rest, [pattern, kept]) => rest.replace(pattern, kept), text);
  const words = known.filter(({ length }) => length >= 4).map(escaped);
  if (words.length === 0) return safe;
  return safe.replace(new RegExp(`(?<![\\w-])(?:${words.join('|')})(?![\\w-])`, 'g'), LEFT_OUT);
}

/** What nvidia-smi says beside GPUs: who bought them, and what others run. Pure. */
export function withoutProcesses(text: string): string {
  return text
    .replace(/^(\s*(?:Serial Number|Board Serial Number|Board Part Number)\s*:).*$/gm, `$1 ${LEFT_OUT}`)
    .replace(/^(\s*Name\s*:).*$/gm, `$1 ${LEFT_OUT}`);
}

/** A line of the driver about an Xid names the process. Pure. */
export function withoutProcessName(line: string): string {
  return !line.includes('NVRM') ? line : line.replace(/\bname=[^,]*/g, `name=${LEFT_OUT}`);
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

function withoutPublic(found: string): string {
  return isIP(found) > 0 && isPublicAddress(found) ? '[public address]' : found;
}
