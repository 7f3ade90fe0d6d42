import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** The best ones take fifty times as long for a tenth less, and the first sight waits for it. */
const BROTLI_QUALITY = 6;

const ENCODERS = {
  br: (content: Buffer): Promise<Buffer> =>
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (content: Buffer): Promise<Buffer> => promisify(gzip)(content),
} as const;

/** How a file is sent. */
export type Encoding = keyof typeof ENCODERS | 'identity';

/** A file that the page consists of. */
export class PageFile {
  readonly type: string;
  /** Another one means another content. */
  readonly etag: string;
  readonly #content: Buffer;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();

  /** `brotli`: what a package's build has made of the content, since the best takes long. */
  constructor(type: string, content: string | Buffer, brotli?: Buffer) {
    this.type = type;
    this.#content = Buffer.from(content);
    if (brotli !== undefined) this.#encoded.set('br', Promise.resolve(brotli));
    // Weak, since it is the same for all encodings.
    this.etag = `W/"${createHash('sha256').update(this.#content).digest('base64url').slice(0, 16)}"`;
  }

  /** The content, compressed at most once. */
  async encoded(encoding: Encoding): Promise<Buffer> {
    if (encoding === 'identity') return this.#content;
    let encoded = this.#encoded.get(encoding);
    if (encoded === undefined) {
      encoded = ENCODERS[encoding](this.#content);
      this.#encoded.set(encoding, encoded);
    }
    return encoded;
  }
}

/** The best encoding that a browser takes, by its `Accept-Encoding`. Pure. */
export function bestEncoding(accepted: string | undefined): Encoding {
  const taken = (accepted ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim().split(/\s*;\s*/))
    .filter(([, quality]) => quality === undefined || !/^q=0(?:\.0*)?$/.test(quality))
    .map(([name]) => name);
  return taken.includes('br') ? 'br' : taken.includes('gzip') ? 'gzip' : 'identity';
}

/** Whether a browser has what an etag stands for, by its `If-None-Match`. Pure. */
export function hasAlready(etag: string, ifNoneMatch: string | undefined): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return (ifNoneMatch ?? '').split(',').some((tag) => plain(tag) === plain(etag));
}
