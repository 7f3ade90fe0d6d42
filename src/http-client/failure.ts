import type { Proxy } from './proxy.ts';
import { ProxyError } from './proxy-error.ts';

/** Why a server gave no answer. */
export type Failure = {
  /** Who failed, such as `https://host through the proxy http://proxy`, or the proxy alone, and how. Without secrets. */
  readonly what: string;
  /** The setting of the proxy that failed; undefined: the server did. */
  readonly proxySetting: Proxy['setting'] | undefined;
};

/** Describes what a request has thrown; `name` is the server’s, without secrets. Pure. */
export function failureOf(name: string, thrown: unknown, proxy: Proxy | undefined): Failure {
  const isProxy = proxy !== undefined && thrown instanceof ProxyError;
  const at = isProxy ? `the proxy ${proxy.origin}` : name;
  const through = proxy === undefined || isProxy ? '' : ` through the proxy ${proxy.origin}`;
  return {
    what: `${at}${through}: ${reasonOf(thrown)}`,
    proxySetting: isProxy ? proxy.setting : undefined,
  };
}

/** The code tells most, and never contains a URL. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'failed';
  if (thrown instanceof ProxyError && thrown.status !== undefined) return `answered with ${thrown.status}`;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  return thrown.cause === undefined ? thrown.message : reasonOf(thrown.cause);
}
