import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An id of this machine that says nothing about it, as machine-id(5) asks for; undefined where it has none that lasts, as in
 * most containers. `root` is for tests.
 */
export function machineId(root = '/'): string | undefined {
  // systemd makes one up at each boot where /etc cannot be written.
  if (existsSync(join(root, 'run/machine-id'))) return undefined;
  const id = textOf(join(root, 'etc/machine-id'));
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
  return createHmac('sha256', id).update('sharedcloud-agent').digest('hex').slice(0, 32);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    // Not every system has one.
    return '';
  }
}
