import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopbackAddress } from '../lib/loopback.ts';
import { isSameSecret } from '../lib/same-secret.ts';
import { CONTENT_TYPES, formatFor } from '../metrics/exposition.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** The metrics, and who may read them. */
export type ServedMetrics = {
  readonly metrics: Pick<Metrics, 'text'>;
  /** What a scraper has to send; undefined: this host may read them, and nobody else. */
  readonly token: () => string | undefined;
};

/** Headers by which a proxy says that it asks for somebody else. */
const FORWARDED = /^(x-forwarded-.*|forwarded|via|x-real-ip|true-client-ip|cf-connecting-ip)$/;

const PATH = /^\/metrics(\?|$)/;

type Refusal = { readonly status: 401 | 403 | 405; readonly why: string; readonly hint: string };

/** Answers a scrape, and says whether the request was one. Needs nothing that has to be loaded first. */
export function answerScrape(
  request: IncomingMessage,
  response: ServerResponse,
  { metrics, token }: ServedMetrics,
): boolean {
  if (!PATH.test(request.url ?? '')) return false;
  const { headers, method = '', socket } = request;
  const refusal = refusalOfScrape({ method, headers, address: socket.remoteAddress }, token());
  if (refusal !== undefined) {
    refuse(response, refusal);
    return true;
  }
  const format = formatFor(headers.accept);
  response.setHeader('content-type', CONTENT_TYPES[format]);
  response.setHeader('cache-control', 'no-store');
  response.end(method === 'HEAD' ? undefined : metrics.text(format));
  return true;
}

/** Why somebody may not read the metrics; undefined: they may. Pure. */
export function refusalOfScrape(
  seen: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    /** Where the connection comes from. */
    readonly address: string | undefined;
  },
  token: string | undefined,
): Refusal | undefined {
  const { address = '', headers, method } = seen;
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, why: 'metrics are only read', hint: 'use GET' };
  if (token === undefined) {
    const isHere = isLoopbackAddress(address) && !Object.keys(headers).some((name) => FORWARDED.test(name));
    if (isHere) return undefined;
    return {
      status: 403,
      why: 'without --metrics-token-file only this host may read the metrics',
      hint: 'set --metrics-token-file, and let the scraper send that token (bearer_token_file); see docs/metrics.md',
    };
  }
  const [, sent] = /^bearer +(\S.*)$/i.exec([headers['authorization'] ?? ''].flat()[0] ?? '') ?? [];
  if (sent !== undefined && isSameSecret(sent, token)) return undefined;
  return {
    status: 401,
    why: sent === undefined ? 'metrics need the token of --metrics-token-file' : 'the token is wrong',
    hint: 'let the scraper send the token (bearer_token_file); see docs/metrics.md',
  };
}

function refuse(response: ServerResponse, { hint, status, why }: Refusal): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="metrics"');
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${why}\nhint: ${hint}\n`);
}
