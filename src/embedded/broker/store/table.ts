import { noSuchObject, notFound } from './refusal.ts';

/** Rows by uuid, in the order of insertion. */
export class Table<Row extends { readonly uuid: string }> {
  readonly #rows = new Map<string, Row>();

  /** Adds the row, or replaces the one with its uuid. */
  put(row: Row): Row {
    this.#rows.set(row.uuid, row);
    return row;
  }

  find(uuid: string): Row | undefined {
    return this.#rows.get(uuid);
  }

  /** The row in a request's path. Throws a not-found Refusal. */
  get(uuid: string): Row {
    const row = this.#rows.get(uuid);
    if (row === undefined) throw notFound();
    return row;
  }

  /** The row in a request's field. Throws an invalid Refusal with the field. */
  refer(field: string, uuid: string): Row {
    const row = this.#rows.get(uuid);
    if (row === undefined) throw noSuchObject(field, uuid);
    return row;
  }

  /** Throws a not-found Refusal. */
  remove(uuid: string): Row {
    const row = this.get(uuid);
    this.#rows.delete(uuid);
    return row;
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  get size(): number {
    return this.#rows.size;
  }
}
