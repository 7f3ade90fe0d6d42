import type { AgentEvent } from '../agent/events/events.ts';
import type { Phase } from './signals.ts';
import { StatusText } from './status-text.ts';
import type { SystemdNotifier } from './systemd-notify.ts';

/** The service manager hears of changes at most this often: each telling is a process. */
const TELL_MS = 1_000;

/**
 * Knows what the daemon does, and lets the service manager, where there is one, see that and that it lives. The signs
 * come from the event loop, so a process that hangs gives none.
 */
export class SystemdStatus implements AsyncDisposable {
  readonly #manager: SystemdNotifier | undefined;
  readonly #status = new StatusText();
  readonly #watchdog: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #told = '';
  #saidReady = false;

  constructor(manager: SystemdNotifier | undefined) {
    this.#manager = manager;
    const every = manager?.watchdogMs;
    // Often enough that a late one or two do no harm.
    if (every !== undefined) this.#watchdog = setInterval(() => void manager?.tell('WATCHDOG=1'), every / 4);
  }

  /** What the daemon does, in a line for people. */
  get status(): string {
    return this.#status.text;
  }

  /** Takes an event of the agent. */
  readonly see = (event: AgentEvent): void => {
    this.#status.see(event);
    this.#changed();
  };

  /** The daemon is about to end: now, or when what it does is done. */
  leaving(phase: Phase): void {
    this.#status.remark(phase);
    // systemd gives what says that it stops only a while, and draining may take hours.
    if (phase !== 'stopping') return this.#changed();
    this.#stopTelling();
    void this.#manager?.tell('STOPPING=1', `STATUS=${this.#status.text}`);
  }

  /** Around a reload, whose outcome in a line `work` answers. */
  async reloading(work: () => Promise<string>): Promise<void> {
    await this.#manager?.tell('RELOADING=1');
    this.#status.remark(await work());
    this.#told = this.#status.text;
    await this.#manager?.tell('READY=1', `STATUS=${this.#told}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTelling();
    clearInterval(this.#watchdog);
    await this.#manager?.flush();
  }

  #changed(): void {
    if (this.#manager === undefined) return;
    // That the start is over is told at once: somebody waits for it.
    if (this.#status.ready && !this.#saidReady) this.#tell();
    else this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    this.#stopTelling();
    const { ready, text } = this.#status;
    const news = ready && !this.#saidReady ? ['READY=1'] : [];
    if (text === this.#told && news.length === 0) return;
    this.#told = text;
    this.#saidReady = ready;
    void this.#manager?.tell(...news, `STATUS=${text}`);
  }

  #stopTelling(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
  }
}
