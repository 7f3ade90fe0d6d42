import type { Hold, Target } from '../../domain/hold.ts';
import type { Observer } from '../events/events.ts';
import type { Holds } from './holds.ts';

/** Reports what keeps targets from new jobs, once per change of the reason. */
export class HoldLog {
  readonly #holds: Pick<Holds, 'of'>;
  readonly #observe: Observer;
  /** The reason that was reported last, by target. */
  readonly #reported = new Map<Target, string>();

  constructor(holds: Pick<Holds, 'of'>, observe: Observer) {
    this.#holds = holds;
    this.#observe = observe;
  }

  /** Reports what has changed for these targets since the last call. */
  report(targets: Iterable<Target>): void {
    for (const target of targets) {
      const hold = this.#holds.of(target);
      const reason = hold && reasonOf(hold);
      if (reason === this.#reported.get(target)) continue;
      if (hold === undefined || reason === undefined) {
        this.#reported.delete(target);
        this.#observe({ kind: 'target-released', target });
      } else {
        this.#reported.set(target, reason);
        this.#observe({ kind: 'target-held', target, hold });
      }
    }
  }
}

/** Not its end, which moves with the clock. */
function reasonOf({ kind, why }: Hold): string {
  return `${kind}: ${why}`;
}
