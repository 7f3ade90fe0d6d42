import type { Proxy } from '../http-client/proxy.ts';

/** What the owner can do about a proxy that answered with this status. `broker` is the broker's host and port. */
export function statusHint(status: number, { authorization, setting }: Proxy, broker: string): string {
  const name = written(setting);
  // Tinyproxy answers a wrong password with 401.
  if (status === 407 || status === 401)
    return authorization === undefined
      ? `write the proxy’s user and password into ${name}: http://USER:PASSWORD@HOST:PORT`
      : `check the user and password in ${name}`;
  if (status === 403 || status === 405)
    return `ask the proxy’s operator to allow ${broker}, or list its host in no-proxy if it can be reached directly`;
  if (status >= 500)
    return `check the broker’s URL; if it is right, the proxy cannot reach ${broker}: ask the proxy’s operator`;
  return `check ${name}: the server there may be no proxy`;
}

/** What the owner can do about a proxy that cannot be connected to. */
export function connectHint(code: string, { origin, setting }: Proxy): string {
  const name = written(setting);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `check the host name in ${name}, and this host’s DNS`;
  if (code === 'ECONNREFUSED') return `check ${name}: nothing listens at ${origin}`;
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return `check ${name}: it may have to begin with http:// instead of https://`;
  if (code.startsWith('HPE_') || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET')
    return `check ${name}: the server at ${origin} does not behave like an HTTP proxy`;
  return `check ${name} and whether ${origin} can be reached, or list the broker’s host in no-proxy`;
}

/** What the owner can do where the proxy was reached, and the call failed behind it or between. */
export function throughHint(code: string, proxy: Proxy): string {
  if (code.startsWith('HPE_')) return connectHint(code, proxy);
  const name = written(proxy.setting);
  return `check the broker’s URL and ${name}: the broker, or the proxy, does not answer as it should`;
}

function written(setting: Proxy['setting']): string {
  return `${setting} (${setting.toUpperCase().replace('-', '_')})`;
}
