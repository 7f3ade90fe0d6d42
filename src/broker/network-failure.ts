import { errors } from 'undici';
import { AgentError } from '../domain/errors.ts';
import { badAnswer } from './fields.ts';
import { sanitize } from './sanitize.ts';

const URL_OR_OFFLINE = 'check the broker’s URL and this host’s internet connection';
const NOT_HTTP = 'check the broker’s URL: the server there does not speak HTTP';
const CERTIFICATE =
  'check this host’s clock; for a private certificate authority, name its file in NODE_EXTRA_CA_CERTS';

const SILENT = 'check the broker’s URL: the server there accepts connections but does not answer';
const CUT = 'look for a proxy, VPN or firewall that cuts connections, or contact the broker’s operator';
const OFFLINE = 'check this host’s internet connection, or contact the broker’s operator';
const NOT_HTTPS = 'check the broker’s URL: it may have to begin with http:// instead of https://';

const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'check the host name in the broker’s URL, and this host’s DNS',
  EAI_AGAIN: 'check this host’s DNS',
  ECONNREFUSED: 'check the port in the broker’s URL: nothing listens there',
  ENETUNREACH: URL_OR_OFFLINE,
  EHOSTUNREACH: URL_OR_OFFLINE,
  UND_ERR_CONNECT_TIMEOUT: URL_OR_OFFLINE,
  ETIMEDOUT: URL_OR_OFFLINE,
  UND_ERR_HEADERS_TIMEOUT: SILENT,
  UND_ERR_BODY_TIMEOUT: CUT,
  UND_ERR_SOCKET: CUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT,
  ECONNRESET: CUT,
  EPROTO: NOT_HTTPS,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_HTTPS,
  CERT_HAS_EXPIRED: CERTIFICATE,
  CERT_NOT_YET_VALID: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'check the host name in the broker’s URL: the certificate is for another host',
};

/** What comes after the broker's origin in a message. */
const MESSAGES: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: ': connecting timed out',
  UND_ERR_HEADERS_TIMEOUT: ' did not answer in time',
  UND_ERR_BODY_TIMEOUT: ': the answer stopped before its end',
  UND_ERR_SOCKET: ': the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ': the answer was cut short',
  ECONNREFUSED: ' refused the connection',
  ECONNRESET: ': the connection was reset',
  EHOSTUNREACH: ' is out of reach',
  ENETUNREACH: ' is out of reach',
  ENOTFOUND: ': the host name is unknown',
  EAI_AGAIN: ': the host name could not be resolved',
};

/** The call for messages, such as `GET /api/v1/runs`, the origin that it went to, and the token that it sent. */
type FailedCall = { readonly name: string; readonly origin: string; readonly token: string };

/**
 * The error for a call without a complete answer: BROKER_UNREACHABLE, or BROKER_BAD_ANSWER for an answer that is too large.
 * It has no `cause`, because the library's error may contain the token.
 */
export function networkFailure(thrown: unknown, { name, origin, token }: FailedCall): AgentError {
  const code = codeOf(thrown);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return badAnswer(`${name}: the broker’s answer is too large`);
  const what = MESSAGES[code ?? ''] ?? `: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  const details = [systemCode(code), name].filter((part) => part !== '').join(', ');
  const hint = thrown instanceof errors.HTTPParserError ? NOT_HTTP : (HINTS[code ?? ''] ?? OFFLINE);
  return new AgentError('BROKER_UNREACHABLE', `${sanitize(`${origin}${what}`, token)} (${details})`, {
    hint,
  });
}

/** The code of the system, which an owner can look up; empty for those of the HTTP library. */
function systemCode(code = ''): string {
  return code.startsWith('UND_ERR_') || code.startsWith('HPE_') ? '' : code;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  // A name with several addresses that all failed: the first failure stands for all.
  return thrown instanceof AggregateError ? codeOf(thrown.errors[0]) : codeOf(thrown.cause);
}
