/** What is to be changed of a row; what is absent or undefined stays as it is. */
export type Change<Row> = { readonly [Key in keyof Row]?: Row[Key] | undefined };

/** The row with the change made. */
export function changed<Row extends object>(row: Row, change: Change<Row>): Row {
  const next = { ...row };
  for (const key in change) {
    const value = change[key];
    if (value !== undefined) next[key] = value;
  }
  return next;
}
