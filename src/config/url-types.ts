import { isLoopback } from '../lib/loopback.ts';
import { withoutCredentials } from '../lib/proxy-url.ts';
import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** The base URL of a broker without a trailing slash. A path is allowed, credentials and a query are not. */
export const brokerUrl: ValueType<string> = single({
  metavar: 'URL',
  parse: (text) => {
    const hint = 'write the broker’s URL, such as https://sharedcloud.io';
    const url = URL.parse(text);
    // The text before an @ may be a password, so it is not repeated in a message.
    if (url !== null && (url.username !== '' || url.password !== ''))
      throw new BadValue(
        'has a user name or password in the URL',
        'remove it, and use --token-file for the token',
      );
    if (url === null || !/^https?:\/\//i.test(text))
      throw new BadValue(`${text.includes('@') ? 'it' : quoted(text)} is not an http or https URL`, hint);
    if (url.search !== '' || url.hash !== '' || /[?#]/.test(text))
      throw new BadValue(`${quoted(text)} has a query or fragment`, 'remove everything from ? or # on');
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  },
  warn: (text) => {
    const url = new URL(text);
    return url.protocol === 'http:' && !isLoopback(url.hostname)
      ? `${url.origin} is plain http: others on the network can read the token and change what runs here`
      : undefined;
  },
});

/** The container engine's URL: a Unix socket, or TCP. */
export const dockerHost: ValueType<string> = single({
  metavar: 'URL',
  parse: (text) => {
    if (/^unix:\/\/\/[^\0]+$/.test(text)) return text;
    const url = text.startsWith('tcp://') ? URL.parse(text) : null;
    if (url !== null && url.hostname !== '' && ['', '/'].includes(url.pathname)) return text;
    throw new BadValue(
      `${quoted(text)} is not the URL of a container engine`,
      'write unix:///var/run/docker.sock or tcp://HOST:PORT',
    );
  },
});

/**
 * A proxy's URL as it was written; its credentials are never shown. Checked where it is used, because a variable that other
 * programs understand must not keep a command from running that needs no proxy.
 */
export const proxyUrl: ValueType<string> = single({
  metavar: 'URL',
  parse: (text) => text,
  show: withoutCredentials,
});

/** Hosts that are reached without a proxy, as they were written. */
export const noProxy: ValueType<readonly string[]> = {
  metavar: 'HOST,...',
  many: true,
  read: (written) => [
    ...new Set(written.flatMap((text) => text.split(/[,\s]+/)).filter((host) => host !== '')),
  ],
  show: (hosts) => hosts.join(','),
};
/** The name of a Docker context, as Docker limits it. */
export const dockerContext: ValueType<string> = single({
  metavar: 'NAME',
  parse: (text) => {
    if (/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,254}$/.test(text)) return text;
    throw new BadValue(`${quoted(text)} cannot be the name of a Docker context`, 'see docker context ls');
  },
});

/** On or off. For Docker, DOCKER_TLS_VERIFY is on with any value; here its usual words for off are off. */
export const dockerSwitch: ValueType<boolean> = single({
  metavar: 'true|false',
  parse: (text) => !/^(?:false|0|no|off|)$/i.test(text),
});
