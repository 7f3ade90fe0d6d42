/**
 * The value of a Python literal. A `str` is UTF-16, so two escaped surrogates in a row are one character here and two in
 * Python.
 */
export type PythonValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly real: number; readonly imag: number }
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'tuple' | 'list' | 'set'; readonly items: readonly PythonValue[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [PythonValue, PythonValue])[] };

/**
 * A key that is the same for values that Python calls equal, such as `1`, `1.0` and `True`. Undefined for values that Python
 * cannot hash: lists, sets, dicts and tuples of those.
 */
export function hashKeyOf(value: PythonValue): string | undefined {
  switch (value.kind) {
    case 'none':
    case 'ellipsis':
      return value.kind;
    case 'bool':
      return value.value ? 'n1' : 'n0';
    case 'int':
      // Base 16, because converting a long number to base 10 is slow.
      return `n${value.value.toString(16)}`;
    case 'float':
      return numberKey(value.value);
    case 'complex':
      return value.imag === 0 ? numberKey(value.real) : `c${value.real},${value.imag}`;
    case 'str':
      return `s${value.value}`;
    case 'bytes':
      return `b${value.value.join()}`;
    case 'tuple':
      return tupleKey(value.items);
    default:
      return undefined;
  }
}

function numberKey(value: number): string {
  return Number.isInteger(value) ? `n${BigInt(value).toString(16)}` : `n${value}`;
}

function tupleKey(items: readonly PythonValue[]): string | undefined {
  const keys: string[] = [];
  for (const item of items) {
    const key = hashKeyOf(item);
    if (key === undefined) return undefined;
    // With its length, so that different tuples have different keys.
    keys.push(`${key.length}:${key}`);
  }
  return `t${keys.join('')}`;
}
