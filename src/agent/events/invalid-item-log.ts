import type { InvalidItem } from '../../domain/ports/broker.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';

type Listable = 'run' | 'job' | 'gpu' | 'instance';

/** The invalid items of a list: the first ones, and how many more there are. */
type Invalid = { readonly invalid: readonly InvalidItem[]; readonly moreInvalid?: number };

/** Warns of each invalid item that the broker lists, once per item and reason. */
export class InvalidItemLog {
  readonly #log: Log;
  readonly #what: Listable;
  readonly #logged = new OncePerChange();

  constructor(log: Log, what: Listable) {
    this.#log = log;
    this.#what = what;
  }

  log({ invalid, moreInvalid = 0 }: Invalid): void {
    const more = { uuid: undefined, reason: 'more items are invalid than are listed here' };
    for (const { reason, uuid } of moreInvalid > 0 ? [...invalid, more] : invalid) {
      if (!this.#logged.isNew(reason, `${uuid ?? '?'} ${reason}`)) continue;
      const fields = { event: 'invalid-item', [this.#what]: uuid, reason };
      this.#log.warn(fields, `${this.#what} skipped, it is invalid: ${reason}`);
    }
  }
}
