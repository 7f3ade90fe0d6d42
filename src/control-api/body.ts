import { AgentError } from '../domain/errors.ts';

/** The body of a POST; one without is an empty one. Throws CONTROL_INVALID. */
export function parseBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new AgentError('CONTROL_INVALID', 'the request is not JSON');
  }
}
