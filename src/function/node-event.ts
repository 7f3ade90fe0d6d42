import type { PythonValue } from '../python-literal/value.ts';

/** JSON for an event: an object names a type, anything else is itself. */
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

/** Encodes a Python value as JSON that `loaders/loader.js` decodes to a JavaScript value. */
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

/** JSON has no infinity and no negative zero. */
function taggedFloat(value: number): Tagged {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : { float: Object.is(value, -0) ? '-0' : String(value) };
}

/** The property name of a dict's key: text as it is, others as `json.dumps` of Python names them, or their JSON. */
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
