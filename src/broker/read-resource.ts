import { LIMITS } from '../limits.ts';
import { expectOk, notJson } from './answer.ts';
import { badAnswer } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';
import { JsonProjector } from './json-projector.ts';
import type { BodySink } from './read-body.ts';
import type { Reply } from './transport.ts';

/** Reads an answer with one resource: keeps some of its fields and skips the others. */
export class ResourceReader implements BodySink {
  readonly #projector: JsonProjector;
  #item: ProjectedItem | undefined;
  #bytes = 0;

  constructor(fields: Fields) {
    this.#projector = new JsonProjector({
      shape: 'one',
      fields,
      onItem: (item) => {
        this.#item = item;
        return true;
      },
    });
  }

  write(piece: Uint8Array): boolean {
    this.#bytes += piece.length;
    if (this.#bytes > LIMITS.broker.resource.max) throw badAnswer('the broker’s answer is too large');
    return this.#projector.write(piece) && this.refusal === undefined;
  }

  get heldBytes(): number {
    return this.#projector.heldBytes;
  }

  /** The field that is too long, and that reading ended with; undefined: none. */
  get refusal(): string | undefined {
    return this.#projector.refusal;
  }

  /** The kept fields. Throws BROKER_* for any status but 2xx, and where the answer is not JSON or a field is too long. */
  json(reply: Reply): unknown {
    expectOk(reply);
    const { refusal } = this;
    if (refusal !== undefined) throw badAnswer(`${reply.call}: ${refusal}`);
    if (this.#projector.end().kind === 'not-json' || this.#item?.kind !== 'item') throw notJson(reply);
    return this.#item.json;
  }

  /** The fields that were left out because of their length, and that, in bytes. */
  get omitted(): ReadonlyMap<string, number> {
    return this.#item?.kind === 'item' ? this.#item.omitted : new Map();
  }
}
