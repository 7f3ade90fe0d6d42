/*
 * Listens on a port of the loopback interface where it runs, and leads every connection to a unix socket: the way out
 * of a network namespace. Arguments: the port, the socket's path. Prints a line when it listens.
 */
import { connect, createServer } from 'node:net';

const [port, path = ''] = process.argv.slice(2);

const server = createServer((near) => {
  const far = connect(path);
  near.on('error', () => far.destroy()).on('close', () => far.destroySoon());
  far.on('error', () => near.destroy()).on('close', () => near.destroySoon());
  near.pipe(far).pipe(near);
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
