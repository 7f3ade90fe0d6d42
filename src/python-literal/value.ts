/**
 * What a Python literal stands for. Integers are of any size. A `str` holds UTF-16 as JavaScript does, so two
 * escaped surrogates in a row are one character here and two in Python.
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
 * A text that two values share exactly where Python calls them equal (`1`, `1.0` and `True` do), as sets and
 * the keys of dicts need it. Undefined for what Python cannot hash: lists, sets, dicts and tuples of those.
 */
export function hashKeyOf(value: PythonValue): string | undefined {
  switch (value.kind) {
    case 'none':
    case 'ellipsis':
      return value.kind;
    case 'bool':
      return value.value ? 'n1' : 'n0';
    case 'int':
      // Base 16, since writing a long number in base 10 is slow.
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
    // With its length, so that no two tuples can be written alike.
    keys.push(`${key.length}:${key}`);
  }
  return `t${keys.join('')}`;
}
