/** A file, or a directory where there is no content, of a tar archive. Owned by root. */
export type TarEntry = {
  /** Relative, without a leading slash; at most 100 bytes. */
  readonly path: string;
  readonly content?: Uint8Array;
  /** Permissions; 0755 for directories and 0644 for files. */
  readonly mode?: number;
};

const BLOCK_BYTES = 512;

/** An archive of these entries in the format of POSIX 1003.1 (ustar), always the same for the same entries. Pure. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => [header(entry), padded(entry.content ?? new Uint8Array())]);
  // Two empty blocks end an archive.
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header({ content, mode, path }: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  const isDirectory = content === undefined;
  block.write(isDirectory ? `${path}/` : path, 'utf8');
  octal(mode ?? (isDirectory ? 0o755 : 0o644), 100, 8);
  octal(0, 108, 8); // Owner and group
  octal(0, 116, 8);
  octal(content?.length ?? 0, 124, 12);
  octal(0, 136, 12); // Time
  block.write(isDirectory ? '5' : '0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  // The checksum counts its own field as spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(content: Uint8Array): Buffer {
  const whole = Buffer.alloc(Math.ceil(content.length / BLOCK_BYTES) * BLOCK_BYTES);
  whole.set(content);
  return whole;
}
