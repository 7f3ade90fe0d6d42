import { AgentError } from '../../../domain/errors.ts';

const LONGEST_LINE = 1024 * 1024;

/** Cuts a stream of bytes into its lines, without their ends. Throws RUNTIME_FAILED at a line over 1 MiB. */
export async function* linesOf(stream: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new AgentError('RUNTIME_FAILED', 'Docker sent a line without an end');
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
