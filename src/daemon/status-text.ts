import type { AgentEvent } from '../agent/events/events.ts';

/** So many orphaned containers are named, by so many characters of their ids. */
const SHOWN_ORPHANS = 20;
const SHORT_ID = 12;
const MAX_REASONS = 8;

/** A uuid of a GPU as far as people need it. */
function shortTarget(target: string): string {
  return target.slice(0, SHORT_ID);
}

/** What the agent is doing, in one line for `health` and `systemctl status`, from the agent's events. */
export class StatusText {
  readonly #offers = new Set<string>();
  readonly #jobs = new Set<string>();
  /** The containers that cannot be removed. */
  readonly #orphans = new Set<string>();
  /** Why targets take no new jobs by the owner's wish, by target. */
  readonly #held = new Map<string, string>();
  #startup: string | undefined = 'starting';
  #paused: string | undefined;
  #degraded: string | undefined;
  #remark: string | undefined;
  #ready = false;

  /** Whether the start is over: the agent works, or waits for something that it retries by itself. */
  get ready(): boolean {
    return this.#ready;
  }

  get text(): string {
    const counts = `offers on the market: ${this.#offers.size}, jobs running: ${this.#jobs.size}`;
    return [
      counts,
      this.#heldText(),
      this.#orphansText(),
      this.#startup,
      this.#paused,
      this.#degraded,
      this.#remark,
    ]
      .filter((part) => part !== undefined)
      .join('; ');
  }

  /** Shows the phase or the outcome of a reload, in place of the last remark. */
  setRemark(text: string): void {
    this.#remark = text;
  }

  /** One clause for each reason, with what it is about. */
  #heldText(): string | undefined {
    if (this.#held.size === 0) return undefined;
    const byWhy = Map.groupBy(this.#held, ([, why]) => why);
    const clauses = [...byWhy].map(
      ([why, held]) => `${held.map(([target]) => shortTarget(target)).join(', ')} (${why})`,
    );
    return `no new jobs for ${clauses.slice(0, MAX_REASONS).join(', ')}`;
  }

  #orphansText(): string | undefined {
    if (this.#orphans.size === 0) return undefined;
    const shown = [...this.#orphans].slice(0, SHOWN_ORPHANS).map((id) => id.slice(0, SHORT_ID));
    const more = this.#orphans.size > shown.length ? ' ...' : '';
    const command = `docker rm -f ${shown.join(' ')}${more}`;
    return `containers that cannot be removed: ${this.#orphans.size} (try: ${command})`;
  }

  observe(event: AgentEvent): void {
    switch (event.kind) {
      case 'recovery-completed':
        this.#ready = true;
        this.#startup = undefined;
        break;
      case 'startup-blocked':
        this.#ready = true;
        this.#startup = `waiting: ${event.error.message}`;
        break;
      case 'claiming-paused': {
        const hint = event.hint === undefined ? '' : ` (hint: ${event.hint})`;
        this.#paused = `claiming paused: ${event.why}${hint}`;
        break;
      }
      case 'claiming-resumed':
        this.#paused = undefined;
        break;
      case 'target-held':
        this.#held.set(event.target, event.hold.why);
        break;
      case 'target-released':
        this.#held.delete(event.target);
        break;
      case 'engine-degraded':
        this.#degraded = `degraded: ${event.why}`;
        break;
      case 'engine-recovered':
        this.#degraded = undefined;
        break;
      case 'offer-registered':
        this.#offers.add(event.offer.key);
        this.#startup = undefined;
        break;
      // A change that the broker did not take at first may have been what was waited for.
      case 'offer-price-updated':
      case 'offer-resized':
        this.#startup = undefined;
        break;
      case 'offer-deregistered':
        this.#offers.delete(event.offer.key);
        break;
      case 'job-started':
      case 'job-adopted':
        this.#jobs.add(event.job.uuid);
        break;
      case 'container-removal-failed':
        this.#orphans.add(event.container);
        break;
      case 'container-removed':
        this.#orphans.delete(event.container);
        break;
      case 'job-ended':
      case 'job-cancelled':
      case 'job-release-queued':
        this.#jobs.delete(event.job.uuid);
        break;
      default:
    }
  }
}
