import { readFile } from 'node:fs/promises';
import { BRIDGE_NAME } from '../../runtime/docker/network/network-spec.ts';

/** Whether the bridge of the job network is an interface of this host, up or down. */
export async function hasBridge(): Promise<boolean> {
  const interfaces = await readFile('/proc/self/net/dev', 'utf8');
  return interfaces.split('\n').some((line) => line.trim().startsWith(`${BRIDGE_NAME}:`));
}
