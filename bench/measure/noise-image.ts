import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarOf } from '../../test/support/engine/tar.ts';

const LAYERS = 8;
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG = 'application/vnd.docker.container.image.v1+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

type Blob = { readonly mediaType: string; readonly size: number; readonly digest: string };

/**
 * Makes sure that a registry has an image of so many bytes that cannot be compressed, in eight layers, and returns its
 * reference. The same bytes each time, so that a registry keeps them once.
 */
export async function pushNoise(registry: string, bytes: number): Promise<string> {
  const name = `sharedcloud/bench-noise-${bytes}`;
  const base = `http://${registry}/v2/${name}`;
  const ref = `${registry}/${name}:latest`;
  const manifestUrl = `${base}/manifests/latest`;
  if ((await fetch(manifestUrl, { method: 'HEAD', headers: { accept: MANIFEST } })).ok) return ref;
  const layers: Blob[] = [];
  const contents: string[] = [];
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const tar = tarOf(`noise-${layer}`, noise(layer, Math.floor(bytes / LAYERS)));
    contents.push(digestOf(tar));
    layers.push(await pushBlob(base, gzipSync(tar, { level: 0 }), LAYER));
  }
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['/nothing'] },
    rootfs: { type: 'layers', diff_ids: contents },
    history: contents.map(() => ({ created: '2020-01-01T00:00:00Z' })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await pushBlob(base, Buffer.from(JSON.stringify(config)), CONFIG),
    layers,
  };
  const headers = { 'content-type': MANIFEST };
  await succeed(fetch(manifestUrl, { method: 'PUT', headers, body: JSON.stringify(manifest) }));
  return ref;
}

async function pushBlob(base: string, bytes: Uint8Array<ArrayBuffer>, mediaType: string): Promise<Blob> {
  const digest = digestOf(bytes);
  const began = await succeed(fetch(`${base}/blobs/uploads/`, { method: 'POST' }));
  const upload = new URL(began.headers.get('location') ?? '', base);
  upload.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await succeed(fetch(upload, { method: 'PUT', headers, body: bytes }));
  return { mediaType, size: bytes.length, digest };
}

async function succeed(call: Promise<Response>): Promise<Response> {
  const answer = await call;
  if (!answer.ok) throw new Error(`the registry answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

/** The bytes of a stream cipher. */
function noise(seed: number, bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
