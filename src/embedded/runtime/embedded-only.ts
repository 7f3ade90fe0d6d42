import { AgentError } from '../../domain/errors.ts';

/**
 * Throws CONFIG_INVALID unless `brokerUrl` is the embedded broker's own address on this machine's loopback:
 * without a container around them, no jobs but our own samples may run.
 */
export function refuseOtherBrokers(brokerUrl: string, embeddedBrokerUrl: string): void {
  if (isLoopback(embeddedBrokerUrl) && new URL(brokerUrl).origin === new URL(embeddedBrokerUrl).origin)
    return;
  throw new AgentError(
    'CONFIG_INVALID',
    `jobs of the broker ${brokerUrl} would run on this machine without a container`,
    { hint: 'Run jobs as local processes in the dry run only; everything else takes Docker.' },
  );
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  // The URL parser has brought every spelling of an IPv4 address, such as 127.1 or 0x7f000001, to four numbers.
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
