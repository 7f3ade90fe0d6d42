import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import { anySignal, waitAtMost } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';
import { engineRetry } from '../retry/retry-engine.ts';

/** A container that no job needs any more. */
export type EndedContainer = { readonly container: string; readonly job: string };

/** A removal that has not succeeded after this long is repeated in the background, in milliseconds. */
const LEFT_AFTER_MS = 30_000;

/** How long a removal that was given up may take to say why it failed, in milliseconds. */
const LAST_WORD_MS = 100;

/** Claims stop at this many, because each of them keeps what its job wrote to disk. */
export const MAX_ORPHANS = 50;

export type OrphanContainersDeps = {
  readonly runtime: Pick<Runtime, 'ping' | 'remove'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  /** Aborted when the daemon ends: nothing is repeated after that. */
  readonly detach: AbortSignal;
};

type Failure = EndedContainer & { readonly error: AgentError };

/** The containers of jobs that are over and that the engine does not remove. Nothing waits for them. */
export class OrphanContainers {
  readonly #deps: OrphanContainersDeps;
  readonly #failed: BackoffMap<Failure>;
  /** The containers that are being removed now. */
  readonly #removing = new Map<string, string>();
  readonly #logged = new OncePerChange({ maxKeys: Number.POSITIVE_INFINITY });
  readonly #changed = new Notifier();
  #allDue = false;

  constructor(deps: OrphanContainersDeps) {
    this.#deps = deps;
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
  }

  /** How many containers could not be removed. */
  get size(): number {
    return this.#failed.all.length;
  }

  /** Whether the job has a container that is being removed, or could not be. */
  has(job: string): boolean {
    return (
      [...this.#removing.values()].includes(job) ||
      this.#failed.all.some(([, { failure }]) => failure.job === job)
    );
  }

  /** Why nothing may be claimed now; undefined: it may. */
  problem(): string | undefined {
    if (this.size < MAX_ORPHANS) return undefined;
    const [first] = this.#failed.all;
    const why = first?.[1].failure.error.message ?? '';
    return `${this.size} containers of ended jobs cannot be removed and keep their disk space: ${why}`;
  }

  /**
   * Removes a container. Settles once it is gone (true), or at the latest after 30 seconds, when it is an orphan (false):
   * it is removed later. Never throws.
   */
  async remove(ended: EndedContainer): Promise<boolean> {
    const { detach } = this.#deps;
    const { container, job } = ended;
    this.#removing.set(container, job);
    const enough = new AbortController();
    const removal = this.#tryUntil(ended, anySignal(detach, enough.signal));
    const inTime = await waitAtMost(LEFT_AFTER_MS, removal, detach);
    enough.abort();
    // What only waits for its next try has an error to tell.
    const outcome = inTime ?? (await waitAtMost(LAST_WORD_MS, removal, detach)) ?? unanswered(container);
    const answers =
      outcome !== 'gone' && outcome.code === 'RUNTIME_UNAVAILABLE' && (await this.#engineAnswers());
    this.#removing.delete(container);
    if (outcome === 'gone') this.#gone(ended);
    else if (!detach.aborted) this.#fail(ended, answers ? unanswered(container) : outcome);
    return outcome === 'gone';
  }

  /** Forgets the containers that the engine no longer has. */
  retain(containers: ReadonlySet<string>): void {
    for (const [container, { failure }] of this.#failed.all)
      if (!containers.has(container)) this.#gone(failure);
  }

  /** Tries all of them soon: the engine was unreachable, so it may have been restarted. */
  soon(): void {
    this.#allDue = true;
    this.#changed.notify();
  }

  /** Tries again, with growing pauses, until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const due = this.#failed.all.filter(
        ([container]) => this.#allDue || this.#failed.waitingFor(container) === undefined,
      );
      this.#allDue = false;
      for (const [, { failure }] of due) if (!signal.aborted) await this.remove(failure);
      const waitMs = this.#failed.nextRetryAt - this.#deps.clock.monotonic();
      if (due.length === 0) await this.#changed.wait(signal, Number.isFinite(waitMs) ? waitMs : undefined);
    }
  }

  /** `gone`, or why it could not be removed. An engine that does not answer is asked again. */
  async #tryUntil({ container }: EndedContainer, signal: AbortSignal): Promise<'gone' | AgentError> {
    const { clock, log, random, runtime } = this.#deps;
    const retryIf = ({ code }: AgentError): boolean => code === 'RUNTIME_UNAVAILABLE';
    try {
      await retry({ clock, random, signal, retryIf, ...engineRetry(log) }, () => runtime.remove(container));
      return 'gone';
    } catch (thrown) {
      const error = asAgentError(thrown);
      return error.code === 'CONTAINER_GONE' ? 'gone' : error;
    }
  }

  /** Docker may hang in the removal of one container and answer about all others. */
  async #engineAnswers(): Promise<boolean> {
    const { detach, runtime } = this.#deps;
    return runtime.ping(detach).then(
      () => true,
      () => false,
    );
  }

  #fail(ended: EndedContainer, error: AgentError): void {
    const { observe, random } = this.#deps;
    const { container, job } = ended;
    this.#failed.fail(container, { ...ended, error }, (failures) =>
      backoffMs(RETRY.removeOrphan, failures, random),
    );
    this.#changed.notify();
    // While the engine is unreachable, that is what is logged.
    if (error.code === 'RUNTIME_UNAVAILABLE' || !this.#logged.isNew(error.message, container)) return;
    const { hint, message } = error;
    observe({ kind: 'container-removal-failed', container, job, why: message, hint, orphans: this.size });
  }

  #gone({ container, job }: EndedContainer): void {
    if (this.#failed.get(container) === undefined) return;
    this.#failed.clear(container);
    if (!this.#logged.forget(container)) return;
    this.#deps.observe({ kind: 'container-removed', container, job, orphans: this.size });
  }
}

function unanswered(container: string): AgentError {
  return new AgentError(
    'RUNTIME_FAILED',
    `container ${container} was not removed within ${LEFT_AFTER_MS / 1_000} s`,
    { hint: 'if `docker rm -f` hangs, too, restart Docker: sudo systemctl restart docker' },
  );
}
