import type { Language } from '../../domain/language.ts';

/* `handler([[[host, port], ...], seconds])` connects to all targets in parallel and returns a list with one word per
   target. For Python 2.7 and 3, and Node.js 6 or newer. */

const PYTHON = `import errno, json, select, socket, time


def word(code):
    words = {0: 'open', errno.ECONNREFUSED: 'refused', errno.ETIMEDOUT: 'silent'}
    return words.get(code) or errno.errorcode.get(code, str(code))


def handler(event):
    targets, seconds = event
    found, waiting, poller = ['silent'] * len(targets), {}, select.poll()
    for index, (host, port) in enumerate(targets):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        code = sock.connect_ex((host, port))
        if code == errno.EINPROGRESS:
            waiting[sock.fileno()] = (index, sock)
            poller.register(sock.fileno(), select.POLLOUT)
        else:
            found[index] = word(code)
    end = time.time() + seconds
    while waiting and time.time() < end:
        for number, _ in poller.poll(max(end - time.time(), 0) * 1000):
            index, sock = waiting.pop(number)
            poller.unregister(number)
            found[index] = word(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            sock.close()
    return json.dumps(found)
`;

const NODE = `const net = require('net');

function word(code) {
  return { ECONNREFUSED: 'refused', ETIMEDOUT: 'silent' }[code] || code;
}

function find(target, seconds) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: target[0], port: target[1] });
    const timer = setTimeout(() => end('silent'), seconds * 1000);
    const end = (found) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    socket.on('connect', () => end('open'));
    socket.on('error', (error) => end(word(error.code)));
  });
}

function handler(event) {
  return Promise.all(event[0].map((target) => find(target, event[1])));
}
`;

/** The probe's function in each language. */
export const ISOLATION_PROBE_CODE: Readonly<Record<Language, string>> = { python: PYTHON, node: NODE };
