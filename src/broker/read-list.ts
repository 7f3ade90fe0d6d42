import { LIMITS } from '../limits.ts';
import { expectOk, notJson } from './answer.ts';
import { badAnswer } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';
import { JsonProjector } from './json-projector.ts';
import type { BodySink } from './read-body.ts';
import type { Reply } from './transport.ts';

const MAX_BYTES = LIMITS.broker.list.max;
const MAX_ITEMS = LIMITS.broker.listItems.max;
const MAX_MS = LIMITS.broker.listTime.max;

/** How a list is read. */
export type ListOptions = {
  readonly fields: Fields;
  /** Takes each item; answers whether more are wanted. */
  readonly onItem: (item: ProjectedItem) => boolean;
  /** What happens where the list exceeds a limit: its rest is left out, or it is BROKER_BAD_ANSWER. */
  readonly beyond: 'cut' | 'refuse';
  /** Whether an answer stands for the list that the agent has; by default none does. */
  readonly isUnchanged?: (reply: Reply) => boolean;
};

/** What is known of a list that was read. */
export type ListRead = {
  /** The answer with its first page. */
  readonly first: Reply;
  /** Whether its rest was left out. */
  readonly isCut: boolean;
  /** How long this process was busy with it, in milliseconds. */
  readonly busyMs: number;
};

/**
 * Reads a list item by item: an array, or pages (`{count, next, previous, results}`). `fetch` gets the first page, and the
 * others by their addresses. Throws BROKER_BAD_ANSWER for other shapes.
 */
export async function readList(
  fetch: (address: string | undefined, into: BodySink) => Promise<Reply>,
  options: ListOptions,
): Promise<ListRead> {
  const list = new ListSink(options);
  const seen = new Set<string>();
  const first = await fetch(undefined, list);
  let busyMs = first.busyMs;
  if (options.isUnchanged?.(first) === true) return { first, isCut: false, busyMs };
  for (let reply = first; ; ) {
    expectOk(reply);
    const address = list.isOver ? undefined : list.endPage(reply);
    if (address === undefined) break;
    if (seen.has(address) || seen.size >= LIMITS.broker.pages.max) list.exceed('its pages never end');
    if (list.isOver) break;
    seen.add(address);
    reply = await fetch(address, list);
    busyMs += reply.busyMs;
  }
  return { first, isCut: list.isCut, busyMs };
}

/** Counts what a list costs, over all its pages. */
class ListSink implements BodySink {
  /** Whether no more is read, for whatever reason. */
  isOver = false;
  isCut = false;
  readonly #options: ListOptions;
  #projector: JsonProjector;
  #bytes = 0;
  #items = 0;
  #began: number | undefined;

  constructor(options: ListOptions) {
    this.#options = options;
    this.#projector = this.#newPage();
  }

  write(piece: Uint8Array): boolean {
    this.#began ??= performance.now();
    this.#bytes += piece.length;
    if (this.#bytes > MAX_BYTES) this.exceed(`it has more than ${MAX_BYTES} bytes`);
    if (performance.now() - this.#began > MAX_MS) this.exceed(`reading it took more than ${MAX_MS / 1000} s`);
    return !this.isOver && this.#projector.write(piece);
  }

  get heldBytes(): number {
    return this.#projector.heldBytes;
  }

  /** Checks a page that was read to its end; answers the address of the next. */
  endPage(reply: Reply): string | undefined {
    const shape = this.#projector.end();
    if (shape.kind === 'not-json') throw notJson(reply);
    if (shape.kind === 'not-a-list') throw badAnswer(`${reply.call}: the broker’s answer is not a list`);
    this.#projector = this.#newPage();
    return shape.next;
  }

  exceed(why: string): void {
    if (this.#options.beyond === 'refuse') throw badAnswer(`the broker’s list is too long: ${why}`);
    this.isOver = true;
    this.isCut = true;
  }

  #newPage(): JsonProjector {
    const { fields, onItem } = this.#options;
    return new JsonProjector({
      shape: 'list',
      fields,
      onItem: (item) => {
        this.#items += 1;
        if (this.#items > MAX_ITEMS) this.exceed(`it has more than ${MAX_ITEMS} items`);
        else if (!onItem(item)) this.isOver = true;
        return !this.isOver;
      },
    });
  }
}
