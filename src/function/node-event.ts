import type { PythonValue } from '../python-literal/value.ts';

/** The event's JSON: arrays, text, true, false, null and ordinary numbers stand for themselves, an object names a type. */
type Tagged =
  | null
  | boolean
  | number
  | string
  | readonly Tagged[]
  | { readonly int: string }
  | { readonly float: string }
  | { readonly complex: readonly [Tagged, Tagged] }
  | { readonly bytes: string }
  | { readonly dict: readonly (readonly [string, Tagged])[] };

/** A Python value as JSON that `loaders/loader.js` turns into what a Node.js handler gets. */
export function encodeNodeEvent(value: PythonValue): string {
  return JSON.stringify(tagged(value));
}

function tagged(value: PythonValue): Tagged {
  switch (value.kind) {
    case 'none':
    case 'ellipsis':
      return null;
    case 'bool':
    case 'str':
      return value.value;
    case 'int':
      return Number.isSafeInteger(Number(value.value))
        ? Number(value.value)
        : { int: value.value.toString() };
    case 'float':
      return taggedFloat(value.value);
    case 'complex':
      return { complex: [taggedFloat(value.real), taggedFloat(value.imag)] };
    case 'bytes':
      return { bytes: Buffer.from(value.value).toString('base64') };
    case 'dict':
      return { dict: value.entries.map(([key, item]) => [propertyName(key), tagged(item)]) };
    default:
      return value.items.map(tagged);
  }
}

/** JSON has no infinity and loses the sign of a zero. */
function taggedFloat(value: number): Tagged {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : { float: Object.is(value, -0) ? '-0' : String(value) };
}

/** Text is its own name; other keys are named as Python's `json.dumps` does, or by their JSON. */
function propertyName(key: PythonValue): string {
  switch (key.kind) {
    case 'str':
      return key.value;
    case 'int':
      return key.value.toString();
    case 'float':
      return String(key.value);
    case 'bytes':
      return Buffer.from(key.value).toString();
    default:
      return JSON.stringify(tagged(key));
  }
}
