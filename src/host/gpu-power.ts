import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether the PCI device is powered down, as the GPU of a laptop while nothing uses it; any access would wake it, but for
 * this one. False where the host does not say. `busId` is nvidia-smi's, such as `00000000:01:00.0`; `root` is for tests.
 */
export function isAsleep(busId: string, root = '/'): boolean {
  const [, domain, device] = /^([\da-f]{4,8}):([\da-f]{2}:[\da-f]{2}\.[0-7])$/i.exec(busId) ?? [];
  if (domain === undefined || device === undefined) return false;
  const name = `${Number.parseInt(domain, 16).toString(16).padStart(4, '0')}:${device.toLowerCase()}`;
  try {
    const file = join(root, 'sys/bus/pci/devices', name, 'power/runtime_status');
    return readFileSync(file, 'utf8').trim() === 'suspended';
  } catch {
    // Under WSL, in some containers and virtual machines.
    return false;
  }
}
