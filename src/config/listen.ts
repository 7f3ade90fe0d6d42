import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** Where something listens: an IP address, or `localhost`. */
export type ListenAddress = { readonly host: string; readonly port: number };

/** An IP address with a port, `[::1]:8470` for IPv6; `off`: nothing listens. Port 0 is any free one. */
export const listenAddress: ValueType<ListenAddress | 'off'> = single({
  metavar: 'ADDRESS:PORT',
  parse: (text) => {
    const hint = 'write an address of this host with a port, such as 127.0.0.1:8470, or off';
    if (text.toLowerCase() === 'off') return 'off';
    const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
    const name = URL.parse(`http://${host}/`)?.hostname ?? '';
    const isAddress = host.startsWith('[') || host === 'localhost' || /^\d+\.\d+\.\d+\.\d+$/.test(host);
    if (name === '' || !isAddress || Number(port) > 65_535)
      throw new BadValue(`${quoted(text)} is not an address with a port`, hint);
    return { host: name.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  },
  show: (value) => (value === 'off' ? value : `${shownHost(value.host)}:${value.port}`),
});

/** A host as it stands before a port. */
export function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The name or address of a host, without a port. */
export const listenName: ValueType<string> = single({
  metavar: 'NAME',
  parse: (text) => {
    const host = shownHost(text.replace(/^\[(.*)\]$/, '$1'));
    const found = /^[\w.-]+$|^\[[\da-f:.]+\]$/i.test(host)
      ? URL.parse(`http://${host}/`)?.hostname
      : undefined;
    if (found === undefined)
      throw new BadValue(
        `${quoted(text)} is not the name of a host`,
        'write the name alone, without https:// and port, such as gpu.example.org',
      );
    return found.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  },
});
