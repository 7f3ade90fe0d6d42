import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { httpServer, type Seen, type TestServer } from '../faults/server.ts';
import { tarOf } from './tar.ts';

/** What an image says it is made for; left-out fields are left out of its config and its entry in an index. */
export type PlatformFields = {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
};

type Blob = { readonly bytes: Buffer; readonly type: string; readonly digest: string };

/** Answers instead of the registry and returns true, or leaves the request to it. */
export type Instead = (seen: Seen, response: ServerResponse) => boolean;

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

/** A registry without storage: it serves images that a test makes, and what the test's script says instead. */
export class ScriptedRegistry implements AsyncDisposable {
  readonly host: string;
  readonly #server: TestServer;
  readonly #blobs: Map<string, Blob>;
  readonly #names: Map<string, Blob>;

  private constructor(server: TestServer, blobs: Map<string, Blob>, names: Map<string, Blob>) {
    this.host = `localhost:${server.port}`;
    this.#server = server;
    this.#blobs = blobs;
    this.#names = names;
  }

  static async start(instead: Instead = () => false): Promise<ScriptedRegistry> {
    const blobs = new Map<string, Blob>();
    const names = new Map<string, Blob>();
    const server = await httpServer((seen, response) => {
      if (instead(seen, response)) return;
      if (seen.url === '/v2/') return void response.end('{}');
      const [, name = '', kind, ref = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(seen.url) ?? [];
      const blob = blobs.get(ref) ?? names.get(`${name}:${ref}`);
      if (blob === undefined)
        return refuse(response, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN', 'unknown');
      response.setHeader('docker-content-digest', blob.digest);
      response.writeHead(200, { 'content-type': blob.type, 'content-length': blob.bytes.length });
      response.end(seen.method === 'HEAD' ? undefined : blob.bytes);
    });
    return new ScriptedRegistry(server, blobs, names);
  }

  /** The requests so far. */
  get seen(): readonly Seen[] {
    return this.#server.seen;
  }

  /** Serves an image of one layer by this name, and returns its reference. */
  image(name: string, platform: PlatformFields): string {
    return this.#serve(name, this.#manifest(platform));
  }

  /** Serves an index of one image for each platform. */
  index(name: string, platforms: readonly PlatformFields[]): string {
    const manifests = platforms.map((platform) => {
      const { bytes, digest, type } = this.#manifest(platform);
      return { mediaType: type, size: bytes.length, digest, platform };
    });
    return this.#serve(name, this.#add(json({ schemaVersion: 2, mediaType: INDEX, manifests }), INDEX));
  }

  /** Serves any text as a manifest of this type. */
  manifest(name: string, text: string, type: string): string {
    return this.#serve(name, this.#add(Buffer.from(text), type));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #manifest(platform: PlatformFields): Blob {
    const tar = tarOf('noise', randomBytes(64));
    const layer = this.#add(gzipSync(tar), 'application/octet-stream');
    const config = this.#add(
      json({
        ...platform,
        config: { Cmd: ['/noise'] },
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
        history: [{ created: '2020-01-01T00:00:00Z' }],
      }),
      'application/vnd.docker.container.image.v1+json',
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: config.type, size: config.bytes.length, digest: config.digest },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          size: layer.bytes.length,
          digest: layer.digest,
        },
      ],
    };
    return this.#add(json(manifest), MANIFEST);
  }

  #serve(name: string, blob: Blob): string {
    this.#names.set(`${name}:latest`, blob);
    return `${this.host}/${name}:latest`;
  }

  #add(bytes: Buffer, type: string): Blob {
    const blob = { bytes, type, digest: digestOf(bytes) };
    this.#blobs.set(blob.digest, blob);
    return blob;
  }
}

/** A refusal as registries write it. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
