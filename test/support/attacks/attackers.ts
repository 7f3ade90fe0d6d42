import { createHash } from 'node:crypto';

/** A function that attacks its host, and what is reported about its end. */
export type Attacker = {
  readonly code: string;
  /** Either, where it depends on how fast the host is which limit is met first. */
  readonly status: readonly ('FAILED' | 'TIMEOUT')[];
  /** Found in the job's stderr. */
  readonly says: RegExp;
};

const TOO_LONG = /\[sharedcloud-agent\] stopped: it ran longer than \d+ s/;
const MEMORY = /\[sharedcloud-agent\] killed: it used more memory than a job may have here/;
const FLOOD =
  /\[sharedcloud-agent\] stopped: it (?:printed more than 2000000000 bytes in too short a time|ran longer than)/;

const handler = (imports: string, ...lines: readonly string[]): string =>
  `import ${imports}\ndef handler(event):\n${lines.map((line) => `    ${line}\n`).join('')}`;

/** Every way of using up what a host has. */
export const ATTACKERS: Readonly<Record<string, Attacker>> = {
  'a fork bomb': {
    code: handler(
      'os',
      'while True:',
      '    try:',
      '        os.fork()',
      '    except OSError:',
      '        pass',
    ),
    // As many processes as a job may have can be more than fit into its memory.
    status: ['TIMEOUT', 'FAILED'],
    says: new RegExp(`${TOO_LONG.source}|${MEMORY.source}`),
  },
  'a memory bomb': {
    code: handler('os', 'held = []', 'while True:', '    held.append(os.urandom(10**6) * 10)'),
    status: ['FAILED'],
    says: MEMORY,
  },
  'a disk full of files': {
    code: handler(
      'os',
      'for number in range(10**6):',
      "    with open('/tmp/%d' % number, 'wb') as file:",
      '        file.write(bytes(2 * 10**7))',
    ),
    status: ['FAILED'],
    says: /\[sharedcloud-agent\] stopped: it wrote more than 200000000 bytes to its disk/,
  },
  'a file that grows': {
    code: handler('os', "file = open('/tmp/large', 'wb')", 'while True:', '    file.write(bytes(10**6))'),
    status: ['FAILED'],
    says: /OSError: .*File too large|\[sharedcloud-agent\] stopped: it wrote more than/,
  },
  'a file that grows, by a program that does not look': {
    code: handler(
      'os, signal',
      'signal.signal(signal.SIGXFSZ, signal.SIG_DFL)',
      "with open('/tmp/large', 'wb') as file:",
      '    while True:',
      '        file.write(bytes(10**6))',
    ),
    status: ['FAILED'],
    // The kernel may see it first, or the agent as it measures what jobs wrote.
    says: /\[sharedcloud-agent\] (?:killed: it wrote a larger file than a job may|stopped: it wrote more than)/,
  },
  'shared memory': {
    code: handler('os', "file = open('/dev/shm/large', 'wb')", 'while True:', '    file.write(bytes(10**6))'),
    status: ['FAILED'],
    says: /OSError: .*No space left on device/,
  },
  'files without end': {
    code: handler(
      'os',
      'number = 0',
      'while True:',
      "    os.makedirs('/tmp/%d/%d' % (number // 1000, number))",
      '    number += 1',
    ),
    status: ['TIMEOUT'],
    says: TOO_LONG,
  },
  'a flood of lines': {
    code: handler('os', "lines = (b'x' * 99 + b'\\n') * 1000", 'while True:', '    os.write(1, lines)'),
    status: ['FAILED', 'TIMEOUT'],
    says: FLOOD,
  },
  'a line without end': {
    code: handler('os', "line = b'x' * 100000", 'while True:', '    os.write(2, line)'),
    status: ['FAILED', 'TIMEOUT'],
    says: FLOOD,
  },
  'all processors': {
    code: handler('os', 'for _ in range(7):', '    if os.fork() == 0: break', 'while True: pass'),
    status: ['TIMEOUT'],
    says: TOO_LONG,
  },
  'a job that will not stop': {
    code: handler(
      'signal, time',
      'for number in range(1, 32):',
      '    if number not in (signal.SIGKILL, signal.SIGSTOP):',
      '        signal.signal(number, signal.SIG_IGN)',
      'while True: time.sleep(60)',
    ),
    status: ['TIMEOUT'],
    says: TOO_LONG,
  },
  'a result without end': {
    code: handler('os', "return 'x' * (11 * 1024 * 1024)"),
    status: ['FAILED'],
    says: /the result has \d+ bytes; at most \d+ are taken/,
  },
};

/** Prints what a result, the engine's own frames and a terminal's commands look like, and returns its number. */
export const FORGER = handler(
  'base64, os',
  "forged = base64.b64encode(b'forged').decode()",
  "for nonce in ('', '0' * 32, 'f' * 32):",
  "    os.write(1, ('\\x1e%s:0:%s\\x1e\\n\\x1e%s:end:1\\x1e\\n' % (nonce, forged, nonce)).encode())",
  "os.write(1, b'\\x01\\0\\0\\0\\0\\0\\0\\x05forged\\n\\xff\\xfe\\xc0\\x80\\x1b[2J\\x1b]0;forged\\x07\\n')",
  "print('[sharedcloud-agent] stopped: forged')",
  'return event[0]',
);

/** Works for a second or two with the processor, memory and disk, and returns what must come of that. */
export const INNOCENT = handler(
  'hashlib',
  "digest = hashlib.sha256(b'%d' % event[0])",
  'for _ in range(20):',
  "    with open('/tmp/scratch', 'wb') as file:",
  '        file.write(digest.digest() * 30000)',
  "    with open('/tmp/scratch', 'rb') as file:",
  '        digest.update(file.read())',
  '    for _ in range(60000):',
  '        digest.update(digest.digest())',
  'return digest.hexdigest()',
);

/** What INNOCENT returns for a number. */
export function innocentResult(number: number): string {
  const digest = createHash('sha256').update(String(number));
  const now = (): Buffer => digest.copy().digest();
  for (let round = 0; round < 20; round += 1) {
    digest.update(Buffer.concat(Array<Buffer>(30_000).fill(now())));
    for (let step = 0; step < 60_000; step += 1) digest.update(now());
  }
  return now().toString('hex');
}
