import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../domain/connection.ts';
import { AgentError } from '../domain/errors.ts';
import { followProgram, PROGRAM_NOT_FOUND, ProgramError } from '../lib/process.ts';
import { LIMITS } from '../limits.ts';
import { connectionIn } from './conntrack-line.ts';

/** The directories of conntrack, which a user's PATH may lack. */
const SBIN = ['/usr/sbin', '/sbin'];
/** In bytes: events that wait while this process is busy. */
const BUFFER_BYTES = 4 * 1024 * 1024;
const EVENTS_SWITCH = '/proc/sys/net/netfilter/nf_conntrack_events';

const INSTALL = 'install conntrack (apt-get install conntrack), then restart sharedcloud-agent-network';

/** The program conntrack in `path`, which has the form of $PATH; undefined: it is not installed. */
export async function findConntrack(path: string): Promise<string | undefined> {
  for (const directory of [...path.split(':').filter(Boolean), ...SBIN]) {
    const program = join(directory, 'conntrack');
    const found = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return program;
  }
  return undefined;
}

/** What hears of new connections. */
export type ConnectionSink = {
  readonly onConnection: (connection: Connection) => void;
  /** The kernel had more events than this process has read in time: some are missing. */
  readonly onLost: () => void;
};

/**
 * Follows every new connection of this host and its containers until the signal aborts. Needs root. Throws
 * TRAFFIC_LOG_UNAVAILABLE where it ends before, or cannot begin.
 */
export async function followConnections(
  path: string,
  { onConnection, onLost }: ConnectionSink,
  signal: AbortSignal,
): Promise<void> {
  const program = await findConntrack(path);
  if (program === undefined) throw unavailable('the program conntrack is not installed', INSTALL);
  const events = await readFile(EVENTS_SWITCH, 'utf8').catch(() => undefined);
  if (events?.trim() === '0')
    throw unavailable(
      'the kernel reports no connections',
      'run sysctl net.netfilter.nf_conntrack_events=1, and set it in /etc/sysctl.d',
    );
  let stderr = '';
  const args = ['-E', '-e', 'NEW', '-o', 'timestamp', '-b', String(BUFFER_BYTES)];
  try {
    const code = await followProgram(program, args, {
      onLines: (lines) => {
        for (const line of lines) {
          const connection = connectionIn(line);
          if (connection !== undefined) onConnection(connection);
        }
      },
      onStderr: (text) => {
        if (/ENOBUFS/.test(text)) onLost();
        stderr = (stderr + text).slice(-LIMITS.host.conntrackError.max);
      },
      signal,
    });
    if (code === PROGRAM_NOT_FOUND) throw unavailable('the program conntrack is not installed', INSTALL);
    throw unavailable(`conntrack ended with ${code}: ${lastLine(stderr)}`);
  } catch (thrown) {
    if (signal.aborted) return;
    throw thrown instanceof ProgramError ? unavailable(`conntrack ${thrown.message}`) : thrown;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

function unavailable(message: string, hint?: string): AgentError {
  return new AgentError('TRAFFIC_LOG_UNAVAILABLE', message, hint === undefined ? {} : { hint });
}
