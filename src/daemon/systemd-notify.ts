import { execFile } from 'node:child_process';
import type { Log } from '../lib/log.ts';

/** Longer than systemd-notify ever takes, on a host that is not lost. */
const PATIENCE_MS = 10_000;

/** How to reach the service manager that started us; as systemd has it in a service of Type=notify. */
export type SystemdNotifyAddress = {
  readonly socket: string;
  /** Where programs are looked up. */
  readonly path: string;
  /** It wants a sign of life at least this often; undefined: it does not ask for any. */
  readonly watchdogMs: number | undefined;
};

/** Finds the service manager in the environment; undefined: none has started us. Pure. */
export function systemdNotifyAddress(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): SystemdNotifyAddress | undefined {
  const { NOTIFY_SOCKET: socket, PATH: path = '', WATCHDOG_PID: watched, WATCHDOG_USEC: wanted } = env;
  if (socket === undefined || socket === '') return undefined;
  const watchdogMs = Number(wanted) / 1000;
  const forUs = watched === undefined || watched === '' || Number(watched) === pid;
  return { socket, path, watchdogMs: forUs && watchdogMs > 0 ? watchdogMs : undefined };
}

/**
 * Tells the service manager how we are. Node.js knows no datagrams over Unix sockets, so systemd's own
 * `systemd-notify` sends them. One at a time and in order, or the last word might be an old one.
 */
export class SystemdNotifier {
  readonly #address: SystemdNotifyAddress;
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();
  #complained = false;

  constructor(address: SystemdNotifyAddress, log: Log) {
    this.#address = address;
    this.#log = log;
  }

  get watchdogMs(): number | undefined {
    return this.#address.watchdogMs;
  }

  /** Sends assignments such as `READY=1`; settles when they are sent. Never throws: the first failure is logged. */
  tell(...assignments: readonly string[]): Promise<void> {
    const lines = assignments.map((text) => text.replace(/\s+/g, ' '));
    this.#last = this.#last.then(() => this.#send(lines));
    return this.#last;
  }

  /** Settles when all that was to be told is sent: nothing is taken from a process that has gone. */
  flush(): Promise<void> {
    return this.#last;
  }

  #send(assignments: readonly string[]): Promise<void> {
    const { path, socket } = this.#address;
    const env = { NOTIFY_SOCKET: socket, PATH: path };
    return new Promise((done) => {
      execFile('systemd-notify', assignments, { env, timeout: PATIENCE_MS }, (error) => {
        if (error !== null && !this.#complained) {
          this.#complained = true;
          this.#log.warn({ err: error }, 'the service manager could not be told how we are');
        }
        done();
      });
    });
  }
}
