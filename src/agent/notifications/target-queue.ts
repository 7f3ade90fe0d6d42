import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { NotificationTarget, QueuedNotification } from '../../domain/ports/notifications.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { LIMITS } from '../../limits.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';

export type TargetQueueDeps = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called when the target has a message, or when it was given up. Must not throw. */
  readonly onDone: (queued: QueuedNotification) => void;
};

/** Delivers messages to one target, one after the other, for as long as each is worth it. */
export class TargetQueue {
  readonly target: NotificationTarget;
  readonly #deps: TargetQueueDeps;
  readonly #added = new Notifier();
  readonly #logged = new OncePerChange();
  #queue: readonly QueuedNotification[] = [];

  constructor(target: NotificationTarget, deps: TargetQueueDeps) {
    this.target = target;
    this.#deps = deps;
  }

  add(queued: QueuedNotification): void {
    this.#queue = [...this.#queue, queued];
    // The first one may be under way.
    const [, second] = this.#queue;
    if (this.#queue.length > LIMITS.notify.queue.max && second !== undefined)
      this.#drop(second, `more than ${LIMITS.notify.queue.max} wait for the target`);
    this.#added.notify();
  }

  /** Delivers until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [next] = this.#queue;
      if (next === undefined) await this.#added.wait(signal);
      else await this.#deliver(next, signal);
    }
  }

  async #deliver(next: QueuedNotification, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#deps;
    const { address, name } = this.target;
    const isTooOld = (): boolean => clock.now() - next.message.at > LIMITS.notify.age.max;
    try {
      await retry(
        {
          clock,
          random,
          signal,
          policy: RETRY.notify,
          retryIf: () => !isTooOld(),
          onRetry: ({ code, hint, message }, _attempt, retryInMs) => {
            if (!this.#logged.isNew(message)) return;
            const fields = { event: 'notification-failed', target: name, address, code, hint, retryInMs };
            log.warn(fields, `notification not delivered, tried again: ${message}`);
          },
        },
        () => this.target.send(next.message, signal),
      );
    } catch (thrown) {
      if (!signal.aborted) this.#drop(next, asAgentError(thrown).message);
      return;
    }
    const { id, kind, state } = next.message;
    if (this.#logged.forget(''))
      log.info(
        { event: 'notification-target-recovered', target: name, address },
        'notifications are delivered',
      );
    log.debug({ event: 'notification-delivered', target: name, id, kind, state }, 'notification delivered');
    this.#remove(next);
  }

  #drop(queued: QueuedNotification, why: string): void {
    const { kind, state } = queued.message;
    const fields = { event: 'notification-dropped', target: this.target.name, kind, state, why };
    this.#deps.log.warn(fields, `notification given up: ${why}`);
    this.#remove(queued);
  }

  #remove(queued: QueuedNotification): void {
    this.#queue = this.#queue.filter((one) => one !== queued);
    this.#deps.onDone(queued);
  }
}
