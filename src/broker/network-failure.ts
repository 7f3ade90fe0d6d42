import { errors } from 'undici';
import { AgentError } from '../domain/errors.ts';
import { badAnswer } from './fields.ts';
import { shown } from './shown.ts';

const URL_RIGHT = 'is the broker’s URL right, and is this host online?';
const NO_HTTP = 'is the broker’s URL right? What listens there does not speak HTTP';
const CERTIFICATE =
  'the broker’s certificate is not trusted here: is the clock right? For a private authority, name its file in NODE_EXTRA_CA_CERTS';

const HUNG =
  'something takes connections there but does not answer: is the broker’s URL right, and is the broker well?';
const CUT = 'is the broker well, and does nothing in between (a proxy, a VPN, a firewall) cut connections?';
const ONLINE = 'is this host online, and is the broker well?';

const MENDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name in the broker’s URL is unknown: is it right, and does DNS work?',
  EAI_AGAIN: 'names cannot be looked up now: does DNS work?',
  ECONNREFUSED: 'nothing listens at the broker’s URL: is its port right?',
  ENETUNREACH: URL_RIGHT,
  EHOSTUNREACH: URL_RIGHT,
  UND_ERR_CONNECT_TIMEOUT: URL_RIGHT,
  ETIMEDOUT: URL_RIGHT,
  UND_ERR_HEADERS_TIMEOUT: HUNG,
  UND_ERR_BODY_TIMEOUT: CUT,
  UND_ERR_SOCKET: CUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT,
  ECONNRESET: CUT,
  EPROTO: 'is the broker’s URL right? It may be http where it says https',
  ERR_SSL_WRONG_VERSION_NUMBER: 'is the broker’s URL right? It may be http where it says https',
  CERT_HAS_EXPIRED: CERTIFICATE,
  CERT_NOT_YET_VALID: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is another host’s: is the name in the broker’s URL right?',
};

const WORDS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped midway',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut short',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
};

/**
 * What a call that got no whole answer failed of: BROKER_UNREACHABLE, or BROKER_BAD_ANSWER for one that is too
 * large. `call` says which it was. The cause is told, not kept: a library's error may hold headers or the answer.
 */
export function networkFailure(thrown: unknown, call: string, token: string): AgentError {
  const code = codeOf(thrown);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return badAnswer(`${call}: the broker’s answer is too large`);
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const words = WORDS[code ?? ''] ?? said;
  const why = [shown(words, token), systemCode(code)].filter((part) => part !== '').join(', ');
  const hint = thrown instanceof errors.HTTPParserError ? NO_HTTP : (MENDS[code ?? ''] ?? ONLINE);
  return new AgentError('BROKER_UNREACHABLE', `${call}: ${why}`, { hint });
}

/** The code as an owner may look it up; one of our HTTP library tells only us something. */
function systemCode(code = ''): string {
  return code.startsWith('UND_ERR_') || code.startsWith('HPE_') ? '' : code;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  // Where a name has several addresses and none can be reached, the first failure speaks for all.
  return thrown instanceof AggregateError ? codeOf(thrown.errors[0]) : codeOf(thrown.cause);
}
