import { AgentError } from '../domain/errors.ts';
import type { Proxy } from '../http-client/proxy.ts';
import { ProxyError } from '../http-client/proxy-error.ts';
import { errors } from '../http-client/undici.ts';
import { escapeControls } from '../lib/escape.ts';
import { connectHint, statusHint, throughHint } from './proxy-hints.ts';
import { sanitize } from './sanitize.ts';
import { tlsProblem } from './tls-problems.ts';

const URL_OR_OFFLINE = 'check the broker’s URL and this host’s internet connection';
const NOT_HTTP = 'check the broker’s URL: the server there does not speak HTTP';

/** Stands for every code of the HTTP parser. */
const NOT_HTTP_CODE = 'HPE_INVALID';
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

/** The call for messages, such as `GET /api/v1/runs`, the origin that it went to, the token, and the proxy that was used. */
type FailedCall = {
  readonly name: string;
  readonly origin: string;
  readonly token: string;
  readonly proxy?: Proxy | undefined;
};

/**
 * The error for a call without a complete answer: BROKER_UNREACHABLE. It has no `cause`, because the library's
 * error may contain the token.
 */
export function networkFailure(thrown: unknown, { name, origin, proxy, token }: FailedCall): AgentError {
  const code = codeOf(thrown);
  const failed = proxy === undefined ? undefined : proxyErrorIn(thrown);
  if (failed !== undefined && proxy !== undefined) return proxyFailure(failed, proxy, { name, origin });
  const via = proxy === undefined ? '' : ` through the proxy ${proxy.origin}`;
  const details = [systemCode(code), name].filter((part) => part !== '').join(', ');
  const message = sanitize(`${origin}${via}${whatOf(thrown, code)}`, token);
  return new AgentError('BROKER_UNREACHABLE', `${message} (${details})`, {
    hint: hintOf(thrown, code, proxy),
  });
}

/** The error for a proxy that cannot be connected to, or that does not pass the call on. */
function proxyFailure(
  failed: ProxyError,
  proxy: Proxy,
  { name, origin }: Pick<FailedCall, 'name' | 'origin'>,
): AgentError {
  const at = `the proxy ${proxy.origin}`;
  if (failed.status !== undefined) {
    const { host } = new URL(origin);
    return new AgentError(
      'BROKER_UNREACHABLE',
      `${origin}: ${at} answered with the error ${failed.status} (${name})`,
      { hint: statusHint(failed.status, proxy, host) },
    );
  }
  const code = failed.cause instanceof errors.HTTPParserError ? NOT_HTTP_CODE : (codeOf(failed.cause) ?? '');
  const details = [systemCode(code), name].filter((part) => part !== '').join(', ');
  const what = escapeControls(whatOf(failed.cause, code));
  const hint = tlsProblem(code)?.hint ?? connectHint(code, proxy);
  return new AgentError('BROKER_UNREACHABLE', `${origin}: ${at}${what} (${details})`, { hint });
}

function whatOf(thrown: unknown, code = ''): string {
  return (
    MESSAGES[code] ??
    tlsProblem(code)?.what ??
    `: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  );
}

function hintOf(thrown: unknown, code = '', proxy: Proxy | undefined): string {
  const isNotHttp = thrown instanceof errors.HTTPParserError;
  const problem = tlsProblem(code);
  if (proxy !== undefined && problem === undefined)
    return throughHint(isNotHttp ? NOT_HTTP_CODE : code, proxy);
  const hint = isNotHttp ? NOT_HTTP : (HINTS[code] ?? problem?.hint ?? OFFLINE);
  return proxy === undefined ? hint : `${hint}; or the proxy changes what it passes on`;
}

function proxyErrorIn(thrown: unknown): ProxyError | undefined {
  if (thrown instanceof ProxyError) return thrown;
  return thrown instanceof Error && thrown.cause !== undefined ? proxyErrorIn(thrown.cause) : undefined;
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
