import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INFO = {
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'extfs']],
  SecurityOptions: ['name=seccomp,profile=default'],
  Runtimes: { runc: {}, nvidia: {} },
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  OSType: 'linux',
};
const VERSION = {
  Version: '28.1.0',
  ApiVersion: '1.49',
  Components: [{ Name: 'runc', Version: '1.2.8' }],
};

/** Something that says of itself what a Docker engine would, and knows some images; it runs nothing. */
export type EngineStandIn = AsyncDisposable & { readonly host: string };

/** Listens on a socket of its own. `info` changes what it says; `images` are those that it has. */
export async function engineStandIn(
  info: Readonly<Record<string, unknown>> = {},
  images: readonly string[] = [],
): Promise<EngineStandIn> {
  const dir = await mkdtemp(join(tmpdir(), 'engine-stand-in-'));
  const path = join(dir, 'docker.sock');
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '');
    const image = images.find((name) => url === `/images/${name}/json`);
    const answer =
      url === '/info'
        ? { ...INFO, ...info }
        : url === '/version'
          ? VERSION
          : image && { Id: 'sha256:1', Size: 1 };
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'no such image' }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true });
    },
  };
}
