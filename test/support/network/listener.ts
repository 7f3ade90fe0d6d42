import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/*
 * A program of its own: answers on every address of its namespace, over TCP and UDP, on the ports of its arguments,
 * and prints a line for each contact: protocol, port and the address that was contacted. `ready` comes first.
 */

const ports = process.argv.slice(2).map(Number);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/* Each address by itself, or answers over UDP would come from another; and all, for what goes to many. */
const addresses = [
  '0.0.0.0',
  '::',
  ...Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ scopeid }) => scopeid === undefined || scopeid === 0)
    .map(({ address }) => address),
];

const listening = ports.flatMap((port) => {
  const tcp = Promise.withResolvers<void>();
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    say(`tcp ${port} ${socket.localAddress?.replace('::ffff:', '')}`);
    socket.end('hello');
  }).listen({ port, host: '::' }, tcp.resolve);
  return [tcp.promise, ...addresses.map((address) => listenUdp(address, port))];
});

function listenUdp(address: string, port: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, ipv6Only: type === 'udp6', reuseAddr: true });
  socket.on('message', (_, from) => {
    say(`udp ${port} ${address}`);
    socket.send('hello', from.port, from.address);
  });
  socket.bind({ port, address }, resolve);
  return promise;
}

await Promise.all(listening);
say('ready');
