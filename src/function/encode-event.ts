import { parsePythonLiteral } from '../python-literal/literal.ts';
import { LiteralError } from '../python-literal/literal-error.ts';
import { encodeNodeEvent } from './node-event.ts';

/** A job's event as JSON, or why its arguments are no literal. */
export type EncodedEvent = { readonly json: string } | { readonly why: string };

/** Encodes a job's arguments for the Node.js loader. */
export function encodeEvent(args: string): EncodedEvent {
  try {
    return { json: encodeNodeEvent(parsePythonLiteral(args)) };
  } catch (thrown) {
    if (thrown instanceof LiteralError) return { why: thrown.message };
    throw thrown;
  }
}
