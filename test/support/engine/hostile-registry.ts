import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { httpServer } from '../faults/server.ts';
import { tarOf } from './tar.ts';

/** How a registry answers a request for a layer. */
export type Behaviour =
  | 'honest'
  | 'truncated'
  | 'drip'
  | 'slow'
  | 'wrong-bytes'
  | 'silent'
  | 'huge'
  | 'packed'
  | 'many-layers';

/** 10 TiB. */
const HUGE = 10 * 1024 ** 4;

/** Several times what can be mounted. Not more: Docker's memory for them grows with the square, 10,000 cost it 3 GB. */
const MANY = 2000;

/**
 * A registry of one image, `<host>/sharedcloud-test/<name>:latest`, that serves its layer badly; of many layers, none.
 */
export class HostileRegistry implements AsyncDisposable {
  readonly host: string;
  /** How often a layer was asked for. */
  layerRequests = 0;
  /** How many answers with a layer are under way. */
  openLayers = 0;
  readonly #close: () => Promise<void>;

  private constructor(host: string, close: () => Promise<void>) {
    this.host = host;
    this.#close = close;
  }

  static async start(behaviour: Behaviour): Promise<HostileRegistry> {
    const image = makeImage(behaviour);
    const server = await httpServer(({ url }, response) => {
      if (url === '/v2/') return void response.end('{}');
      if (url.includes('/manifests/')) return answer(response, image.manifest, image.manifestType);
      if (url.endsWith(image.configDigest)) return answer(response, image.config, 'application/json');
      if (!image.layerDigests.has(url.slice(url.lastIndexOf('/') + 1)))
        return void response.writeHead(404).end();
      registry.layerRequests += 1;
      registry.openLayers += 1;
      response.on('close', () => (registry.openLayers -= 1));
      serveLayer(response, image.layer, behaviour);
    });
    const registry = new HostileRegistry(`localhost:${server.port}`, async () =>
      server[Symbol.asyncDispose](),
    );
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function answer(response: ServerResponse, body: Buffer, type: string): void {
  response.setHeader('docker-content-digest', digestOf(body));
  response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
}

function serveLayer(response: ServerResponse, layer: Buffer, behaviour: Behaviour): void {
  response.writeHead(200, { 'content-length': behaviour === 'huge' ? HUGE : layer.length });
  switch (behaviour) {
    case 'honest':
    case 'packed':
      response.end(layer);
      break;
    case 'huge': {
      const timer = setInterval(() => response.write(layer), 100);
      response.on('close', () => clearInterval(timer));
      break;
    }
    case 'truncated':
      response.write(layer.subarray(0, layer.length / 2), () => response.destroy());
      break;
    case 'wrong-bytes':
      response.end(Buffer.alloc(layer.length));
      break;
    case 'silent':
    case 'many-layers':
      response.flushHeaders();
      break;
    case 'drip': {
      let at = 0;
      const timer = setInterval(() => response.write(layer.subarray(at, (at += 64))), 20);
      response.on('close', () => clearInterval(timer));
      break;
    }
    // Fast enough for containerd's image store, which notices the end of a pull once it has another MiB.
    case 'slow': {
      let at = 0;
      const timer = setInterval(() => response.write(layer.subarray(at, (at += 128 * 1024))), 50);
      response.on('close', () => clearInterval(timer));
      break;
    }
    default:
      throw behaviour satisfies never;
  }
}

/**
 * An image of one layer: 2 MiB of noise in a file, 64 for a slow registry, or of zeros. A manifest may lie about the layer's size, and name
 * layers that nobody has.
 */
function makeImage(behaviour: Behaviour) {
  const bytes = (behaviour === 'slow' ? 64 : 2) * 1024 * 1024;
  const noise = behaviour === 'packed' ? Buffer.alloc(bytes) : randomBytes(bytes);
  const tar = tarOf('noise', noise);
  const layer = gzipSync(tar, { level: 1 });
  const invented = Array.from({ length: behaviour === 'many-layers' ? MANY - 1 : 0 }, (_, index) =>
    digestOf(Buffer.from(String(index))),
  );
  const layerDigests = [digestOf(layer), ...invented];
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/noise'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar), ...invented] },
      history: [{ created: '2020-01-01T00:00:00Z' }],
    }),
  );
  const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: digestOf(config),
      },
      layers: layerDigests.map((digest) => ({
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        size: behaviour === 'huge' ? HUGE : layer.length,
        digest,
      })),
    }),
  );
  return {
    layer,
    layerDigests: new Set(layerDigests),
    config,
    configDigest: digestOf(config),
    manifest,
    manifestType,
  };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
