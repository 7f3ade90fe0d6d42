import { AgentError } from '../../../domain/errors.ts';
import { LIMITS } from '../../../limits.ts';

/** Splits a stream of bytes into its non-empty lines. Throws RUNTIME_FAILED for a line over 1 MiB. */
export async function* linesOf(stream: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LIMITS.engine.jsonLine.max)
      throw new AgentError('RUNTIME_FAILED', 'Docker sent a line of more than 1 MiB');
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
