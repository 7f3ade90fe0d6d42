/*
 * Leads every connection from one address to another, each a port of the loopback interface, a port of an address
 * (`192.0.2.1:80`) or the path of a unix socket: the way into or out of the network namespace in which it runs. Prints a
 * line when it listens.
 */
import { connect, createServer } from 'node:net';

const [from = '', to = ''] = process.argv.slice(2);
const address = (text: string) => {
  const [host = '', port] = text.split(':');
  if (port !== undefined) return { host, port: Number(port) };
  return /^\d+$/.test(text) ? { host: '127.0.0.1', port: Number(text) } : { path: text };
};

const server = createServer((near) => {
  const far = connect(address(to));
  near.on('error', () => far.destroy()).on('close', () => far.destroySoon());
  far.on('error', () => near.destroy()).on('close', () => near.destroySoon());
  near.pipe(far).pipe(near);
});
server.listen(address(from), () => process.stdout.write('listening\n'));
