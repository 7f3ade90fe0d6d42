import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { TestEngine } from './find-engine.ts';

/** An entry of an image's file system. Paths are relative; at most 100 bytes. */
export type OddEntry =
  | { readonly path: string; readonly kind: 'directory' | 'pipe'; readonly mode?: number }
  | {
      readonly path: string;
      readonly kind: 'file';
      readonly content?: string | Buffer;
      readonly mode?: number;
    }
  | { readonly path: string; readonly kind: 'link'; readonly to: string };

/** An image as strangers may make it: the settings in the OCI image format's words, and files beside busybox's. */
export type OddImage = {
  readonly config?: Readonly<Record<string, unknown>>;
  /** Replace busybox's own where they have the same path. */
  readonly entries?: readonly OddEntry[];
  /** Further layers, each of these entries. */
  readonly layers?: readonly (readonly OddEntry[])[];
  /** Whether it has no files at all. */
  readonly empty?: boolean;
};

const TYPES = { file: '0', link: '2', directory: '5', pipe: '6' } as const;

/** The directories and commands of the image, as in busybox's own. */
const BASE: readonly OddEntry[] = [
  ...['bin', 'etc', 'dev', 'proc', 'sys', 'tmp'].map(
    (path): OddEntry => ({ path, kind: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 }),
  ),
  { path: 'bin/busybox', kind: 'file', content: readFileSync('/bin/busybox'), mode: 0o755 },
  ...['sh', 'cat', 'ls', 'pwd', 'sleep', 'mkdir'].map(
    (name): OddEntry => ({ path: `bin/${name}`, kind: 'link', to: 'busybox' }),
  ),
];

const CONFIG = { Cmd: ['/bin/sh', '-c', 'eval "$CODE"'], Env: ['PATH=/bin'] };

/** Loads an image into the engine, under a name of its own; its `using` scope removes it. */
export async function oddImage(
  engine: TestEngine,
  image: OddImage,
): Promise<AsyncDisposable & { readonly ref: string }> {
  const ref = `sharedcloud-test/${randomUUID()}:latest`;
  const answer = await engine.docker.loadImage(Readable.from([archiveOf(ref, image)]), { quiet: true });
  let said = '';
  for await (const chunk of answer) said += String(chunk);
  if (!said.includes('Loaded image')) throw new Error(`the engine did not load the image: ${said}`);
  return {
    ref,
    [Symbol.asyncDispose]: async () => {
      await engine.docker.getImage(ref).remove({ force: true });
    },
  };
}

/** The image as `docker save` writes it. */
function archiveOf(ref: string, { config = {}, empty = false, entries = [], layers = [] }: OddImage): Buffer {
  const own = entries.map(({ path }) => path);
  const hidden = (path: string): boolean => own.some((one) => path === one || path.startsWith(`${one}/`));
  const base = [...BASE.filter(({ path }) => !hidden(path)), ...entries];
  const tars = empty ? [] : [base, ...layers].map(layerOf);
  const settings = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { ...CONFIG, ...config },
      rootfs: { type: 'layers', diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
      history: tars.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: ref })),
    }),
  );
  const name = `${sha256(settings)}.json`;
  const files = tars.map(
    (tar, index) => ({ path: `${index}/layer.tar`, kind: 'file', content: tar }) as const,
  );
  const manifest = [{ Config: name, RepoTags: [ref], Layers: files.map(({ path }) => path) }];
  return layerOf([
    { path: name, kind: 'file', content: settings },
    ...files,
    { path: 'manifest.json', kind: 'file', content: JSON.stringify(manifest) },
  ]);
}

function layerOf(entries: readonly OddEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf(entry: OddEntry): readonly Buffer[] {
  const content = entry.kind === 'file' ? Buffer.from(entry.content ?? '') : Buffer.alloc(0);
  const mode = entry.kind === 'link' ? 0o777 : (entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644));
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  block.write(entry.path, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  block.write(TYPES[entry.kind], 156, 'latin1');
  if (entry.kind === 'link') block.write(entry.to, 157, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [block, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
