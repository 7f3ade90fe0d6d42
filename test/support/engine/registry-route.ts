import { once } from 'node:events';
import { join } from 'node:path';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { REGISTRY } from './find-engine.ts';
import type { OwnNamespace } from './own-namespace.ts';

const ENTRANCE = join(import.meta.dirname, 'registry-entrance.ts');

/**
 * The route from a namespace to the registry of the test images, which has its own name there. `directory` is where
 * its socket lies.
 */
export async function openRegistryRoute(namespace: OwnNamespace, directory: string): Promise<TcpProxy> {
  const path = join(directory, 'registry.sock');
  const proxy = await TcpProxy.open(`tcp://${REGISTRY}`, path);
  const port = REGISTRY.split(':')[1] ?? '';
  const entrance = namespace.spawn([process.execPath, ENTRANCE, port, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (entrance.stdout !== null) await once(entrance.stdout, 'data');
  return proxy;
}
