import { join } from 'node:path';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { REGISTRY } from './find-engine.ts';
import { type OwnNamespace, relay } from './own-namespace.ts';

/**
 * The route from a namespace to the registry of the test images, which has its own name there. `directory` is where
 * its socket lies.
 */
export async function openRegistryRoute(namespace: OwnNamespace, directory: string): Promise<TcpProxy> {
  const path = join(directory, 'registry.sock');
  const proxy = await TcpProxy.open(`tcp://${REGISTRY}`, path);
  const port = REGISTRY.split(':')[1] ?? '';
  await relay(namespace, port, path);
  return proxy;
}
