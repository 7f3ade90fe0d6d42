import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../../../src/runtime/docker/engine/json-lines.ts';

describe('the lines of a stream', () => {
  const collect = async (...chunks: readonly (string | Uint8Array)[]): Promise<readonly string[]> => {
    const lines: string[] = [];
    const stream = (async function* () {
      yield* chunks;
    })();
    for await (const line of linesOf(stream)) lines.push(line);
    return lines;
  };

  test('are whole for any chunks of the stream', async () => {
    const bytes = Buffer.from('äb\r\n\ncd\ne');
    expect(await collect(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['äb\r', 'cd', 'e']);
    expect(await collect()).toEqual([]);
  });

  test('are refused over 1 MiB', async () => {
    await expect(collect('x'.repeat(1_100_000))).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  });
});
