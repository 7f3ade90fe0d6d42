import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** How much work goes into what is compressed. A file once: the best takes fifty times as long for a tenth less. */
export const EFFORT = { file: 6, answer: 1 } as const;

const ENCODERS = {
  br: (content: Buffer, effort: number): Promise<Buffer> =>
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: effort } }),
  gzip: (content: Buffer, effort: number): Promise<Buffer> => promisify(gzip)(content, { level: effort }),
} as const;

/** How something is sent. */
export type Encoding = keyof typeof ENCODERS | 'identity';

/** Encodes off the event loop. */
export async function encode(content: Buffer, encoding: Encoding, effort: number): Promise<Buffer> {
  return encoding === 'identity' ? content : ENCODERS[encoding](content, effort);
}

/** The best encoding that a browser takes, by its `Accept-Encoding`. Pure. */
export function bestEncoding(accepted: string | readonly string[] | undefined): Encoding {
  const taken = [accepted ?? '']
    .flat()
    .join()
    .toLowerCase()
    .split(',')
    .map((part) => part.trim().split(/\s*;\s*/))
    .filter(([, quality]) => quality === undefined || !/^q=0(?:\.0*)?$/.test(quality))
    .map(([name]) => name);
  return taken.includes('br') ? 'br' : taken.includes('gzip') ? 'gzip' : 'identity';
}
