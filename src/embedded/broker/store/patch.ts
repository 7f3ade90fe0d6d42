/** New values for some fields of a row; absent or undefined fields stay as they are. */
export type Patch<Row> = { readonly [Key in keyof Row]?: Row[Key] | undefined };

/** The row with the new values. */
export function patched<Row extends object>(row: Row, patch: Patch<Row>): Row {
  const next = { ...row };
  for (const key in patch) {
    const value = patch[key];
    if (value !== undefined) next[key] = value;
  }
  return next;
}
