import type { Log } from '../lib/log.ts';
import { runProgram } from '../lib/process.ts';

const DEADLINE_MS = 10_000;

/** How to notify systemd of a service of Type=notify; see sd_notify(3) and sd_watchdog_enabled(3). */
export type SystemdNotifyAddress = {
  readonly socket: string;
  /** The PATH on which `systemd-notify` is looked up. */
  readonly path: string;
  /** The longest time between two WATCHDOG=1; undefined: the service has no watchdog. */
  readonly watchdogMs: number | undefined;
};

/** Reads the address from the environment; undefined: systemd did not start this process. Pure. */
export function systemdNotifyAddress(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): SystemdNotifyAddress | undefined {
  const {
    NOTIFY_SOCKET: socket,
    PATH: path = '',
    WATCHDOG_PID: watchedPid,
    WATCHDOG_USEC: watchdogUsec,
  } = env;
  if (socket === undefined || socket === '') return undefined;
  const watchdogMs = Number(watchdogUsec) / 1000;
  const isForUs = watchedPid === undefined || watchedPid === '' || Number(watchedPid) === pid;
  return { socket, path, watchdogMs: isForUs && watchdogMs > 0 ? watchdogMs : undefined };
}

/**
 * Sends notifications to systemd through `systemd-notify`, because Node.js has no Unix datagram sockets. One at a time,
 * or an older status could arrive last.
 */
export class SystemdNotifier {
  readonly #address: SystemdNotifyAddress;
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(address: SystemdNotifyAddress, log: Log) {
    this.#address = address;
    this.#log = log;
  }

  get watchdogMs(): number | undefined {
    return this.#address.watchdogMs;
  }

  /** Sends assignments such as `READY=1`; settles when they are sent. Never throws; logs the first failure. */
  notify(...assignments: readonly string[]): Promise<void> {
    const lines = assignments.map((text) => text.replace(/\s+/g, ' '));
    this.#last = this.#last.then(() => this.#send(lines));
    return this.#last;
  }

  /** Settles when everything is sent: systemd ignores notifications from a process that has exited. */
  flush(): Promise<void> {
    return this.#last;
  }

  async #send(assignments: readonly string[]): Promise<void> {
    const { path, socket } = this.#address;
    const env = { NOTIFY_SOCKET: socket, PATH: path };
    try {
      const { code, stderr } = await runProgram('systemd-notify', assignments, {
        env,
        deadlineMs: DEADLINE_MS,
      });
      if (code !== 0) throw new Error(`systemd-notify ended with ${code}: ${stderr.trim()}`);
    } catch (thrown) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#log.warn({ event: 'systemd-notify-failed', err: thrown }, 'systemd could not be notified');
    }
  }
}
