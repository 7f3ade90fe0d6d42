import type { AgentEvent } from '../agent/events/events.ts';
import type { Phase } from '../domain/signals.ts';
import { StatusText } from './status-text.ts';
import type { SystemdNotifier } from './systemd-notify.ts';

/** At most one status in this time, because each one starts a process. */
const STATUS_INTERVAL_MS = 1_000;

/**
 * Keeps systemd informed: readiness, status text, watchdog, reload, stop. The watchdog is fed from the event loop, so a
 * process that hangs stops feeding it.
 */
export class SystemdStatus implements AsyncDisposable {
  readonly #notifier: SystemdNotifier | undefined;
  readonly #status = new StatusText();
  readonly #watchdog: NodeJS.Timeout | undefined;
  #pending: NodeJS.Timeout | undefined;
  #sentText = '';
  #sentReady = false;

  /** `notifier` is undefined where systemd did not start this process; then only `text` is kept. */
  constructor(notifier: SystemdNotifier | undefined) {
    this.#notifier = notifier;
    const watchdogMs = notifier?.watchdogMs;
    // Often enough that one or two late ones do no harm.
    if (watchdogMs !== undefined)
      this.#watchdog = setInterval(() => void notifier?.notify('WATCHDOG=1'), watchdogMs / 4);
  }

  /** What the agent is doing, in one line for people. */
  get text(): string {
    return this.#status.text;
  }

  observe(event: AgentEvent): void {
    this.#status.observe(event);
    this.#changed();
  }

  /** Shows the phase. STOPPING=1 only with `stopping`: systemd then allows TimeoutStopSec, and draining may take hours. */
  setPhase(phase: Phase): void {
    this.#status.setRemark(phase);
    if (phase !== 'stopping') return this.#changed();
    this.#cancelPending();
    void this.#notifier?.notify('STOPPING=1', `STATUS=${this.text}`);
  }

  /** Reports a reload to systemd; `work` returns its outcome in a line for people. */
  async reloading(work: () => Promise<string>): Promise<void> {
    await this.#notifier?.notify('RELOADING=1');
    this.#status.setRemark(await work());
    this.#sentText = this.text;
    await this.#notifier?.notify('READY=1', `STATUS=${this.#sentText}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelPending();
    clearInterval(this.#watchdog);
    await this.#notifier?.flush();
  }

  #changed(): void {
    if (this.#notifier === undefined) return;
    // READY=1 is sent at once, because `systemctl start` waits for it.
    if (this.#status.ready && !this.#sentReady) this.#send();
    else this.#pending ??= setTimeout(() => this.#send(), STATUS_INTERVAL_MS);
  }

  #send(): void {
    this.#cancelPending();
    const { ready, text } = this.#status;
    const becameReady = ready && !this.#sentReady ? ['READY=1'] : [];
    if (text === this.#sentText && becameReady.length === 0) return;
    this.#sentText = text;
    this.#sentReady = ready;
    void this.#notifier?.notify(...becameReady, `STATUS=${text}`);
  }

  #cancelPending(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
  }
}
