import { noSuchObject, notFound } from './refusal.ts';

/** Rows by uuid, in the order in which they came. */
export class Table<Row extends { readonly uuid: string }> {
  readonly #rows = new Map<string, Row>();

  /** Adds the row, or puts it in the place of the one with its uuid. */
  put(row: Row): Row {
    this.#rows.set(row.uuid, row);
    return row;
  }

  find(uuid: string): Row | undefined {
    return this.#rows.get(uuid);
  }

  /** The row that a request's path names. Throws a not-found Refusal. */
  get(uuid: string): Row {
    const row = this.#rows.get(uuid);
    if (row === undefined) throw notFound();
    return row;
  }

  /** The row that a request's field refers to. Throws an invalid Refusal that names the field. */
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
