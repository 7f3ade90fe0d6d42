import type { AgentEvent } from '../agent/events/events.ts';

/** How a daemon is, in a line for people, told by its events. */
export class StatusText {
  readonly #offers = new Set<string>();
  readonly #running = new Set<string>();
  #waiting: string | undefined = 'starting';
  #remark: string | undefined;
  #ready = false;

  /** Whether the start is over: the agent works, or waits for something that comes back by itself. */
  get ready(): boolean {
    return this.#ready;
  }

  get text(): string {
    const counts = `offers on the market: ${this.#offers.size}, jobs running: ${this.#running.size}`;
    return [counts, this.#waiting, this.#remark].filter((part) => part !== undefined).join('; ');
  }

  /** A word on what was asked of the daemon, in place of the last one. */
  remark(text: string): void {
    this.#remark = text;
  }

  see(event: AgentEvent): void {
    switch (event.kind) {
      case 'recovery-completed':
        this.#ready = true;
        this.#waiting = undefined;
        break;
      case 'startup-blocked':
        this.#ready = true;
        this.#waiting = `waiting: ${event.error.message}`;
        break;
      case 'offer-registered':
        this.#offers.add(event.offer.key);
        this.#waiting = undefined;
        break;
      case 'offer-deregistered':
        this.#offers.delete(event.offer.key);
        break;
      case 'job-started':
      case 'job-adopted':
        this.#running.add(event.job.uuid);
        break;
      case 'job-ended':
      case 'job-cancelled':
      case 'job-release-queued':
        this.#running.delete(event.job.uuid);
        break;
      default:
    }
  }
}
