import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** The base address of a broker, without a slash at its end. A path is allowed, credentials and a query are not. */
export const brokerUrl: ValueType<string> = single({
  metavar: 'URL',
  parse: (text) => {
    const hint = 'write the broker’s address, such as https://sharedcloud.io';
    const url = URL.parse(text);
    // What stands before an @ may be a password: such a text is never repeated in a message.
    if (url !== null && (url.username !== '' || url.password !== ''))
      throw new BadValue('has a user name or password in the URL', 'give the token by --token-file instead');
    if (url === null || !/^https?:\/\//i.test(text))
      throw new BadValue(`${text.includes('@') ? 'it' : quoted(text)} is not an http or https URL`, hint);
    if (url.search !== '' || url.hash !== '' || /[?#]/.test(text))
      throw new BadValue(`${quoted(text)} has a query or fragment`, 'leave out what begins at ? or #');
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  },
  warn: (text) => {
    const url = new URL(text);
    return url.protocol === 'http:' && !isLoopback(url.hostname)
      ? `${url.origin} is plain http: whoever is on the way can read the token and change what runs here`
      : undefined;
  },
});

/** Where the container engine listens: a Unix socket, or TCP without TLS. */
export const dockerHost: ValueType<string> = single({
  metavar: 'URL',
  parse: (text) => {
    if (/^unix:\/\/\/[^\0]+$/.test(text)) return text;
    const url = text.startsWith('tcp://') ? URL.parse(text) : null;
    if (url !== null && url.hostname !== '' && ['', '/'].includes(url.pathname)) return text;
    throw new BadValue(
      `${quoted(text)} is not an address of a container engine`,
      'write unix:///var/run/docker.sock or tcp://HOST:PORT',
    );
  },
});

/** Whether a URL's host name means this machine and no other. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(host)
  );
}
