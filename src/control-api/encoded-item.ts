import { z } from 'zod';

/** An object of a stream that is encoded once for all its readers. */
export class EncodedItem {
  readonly json: string;
  /** The event that a reader goes on after. */
  readonly seq: number;

  constructor(json: string, seq: number) {
    this.json = json;
    this.seq = seq;
  }
}

/** Encodes an object of a stream by its schema. */
export function encodeItem<Item extends z.ZodType>(
  schema: Item,
  item: z.output<Item>,
  seq: number,
): EncodedItem {
  return new EncodedItem(JSON.stringify(z.encode(schema, item)), seq);
}

/** An object of a stream as JSON. */
export function jsonOf(item: object): string {
  return item instanceof EncodedItem ? item.json : JSON.stringify(item);
}
