import { createHash } from 'node:crypto';
import { EFFORT, type Encoding, encode } from './encoding.ts';

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
    let encoded = this.#encoded.get(encoding);
    if (encoded === undefined) {
      encoded = encode(this.#content, encoding, EFFORT.file);
      this.#encoded.set(encoding, encoded);
    }
    return encoded;
  }
}

/** Whether a browser has what an etag stands for, by its `If-None-Match`. Pure. */
export function hasAlready(etag: string, ifNoneMatch: string | undefined): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return (ifNoneMatch ?? '').split(',').some((tag) => plain(tag) === plain(etag));
}
