import { AgentError } from '../../domain/errors.ts';

/**
 * Throws CONFIG_INVALID unless `brokerUrl` is the embedded broker on this machine's loopback, because only our own samples may
 * run without a container.
 */
export function refuseOtherBrokers(brokerUrl: string, embeddedBrokerUrl: string): void {
  if (isLoopback(embeddedBrokerUrl) && new URL(brokerUrl).origin === new URL(embeddedBrokerUrl).origin)
    return;
  throw new AgentError(
    'CONFIG_INVALID',
    `jobs of the broker ${brokerUrl} would run on this machine without a container`,
    { hint: 'use Docker; only the dry run runs jobs as local processes' },
  );
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  // The URL parser normalizes every spelling of an IPv4 address, such as 127.1 or 0x7f000001.
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
