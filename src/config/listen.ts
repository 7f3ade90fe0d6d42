import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** Where something listens. */
export type ListenAddress = { readonly host: string; readonly port: number };

/** An IP address with a port, `[::1]:8470` for IPv6; `off` is undefined: nothing listens. Port 0 is any free one. */
export const listenAddress: ValueType<ListenAddress | 'off'> = single({
  metavar: 'ADDRESS:PORT',
  parse: (text) => {
    const hint = 'write an address of this host with a port, such as 127.0.0.1:8470, or off';
    if (text.toLowerCase() === 'off') return 'off';
    const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
    const url = URL.parse(`http://${host}:${port}`);
    const address = host.replace(/^\[(.*)\]$/, '$1');
    const isAddress = host.startsWith('[') || host === 'localhost' || /^\d+\.\d+\.\d+\.\d+$/.test(host);
    if (url === null || !isAddress || Number(port) > 65_535)
      throw new BadValue(`${quoted(text)} is not an address with a port`, hint);
    return { host: address, port: Number(port) };
  },
  show: (value) =>
    value === 'off' ? value : `${value.host.includes(':') ? `[${value.host}]` : value.host}:${value.port}`,
});
