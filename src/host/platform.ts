import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Platform, platformOf } from '../domain/platform.ts';

/** Reads what kind of host this is; `linux` where nothing says otherwise. `root` is for tests. */
export function readPlatform(root = '/'): Platform {
  return platformOf({
    kernelRelease: textOf(join(root, 'proc/sys/kernel/osrelease')),
    hasDxg: existsSync(join(root, 'dev/dxg')),
    hasTegraRelease: existsSync(join(root, 'etc/nv_tegra_release')),
    deviceTreeModel: textOf(join(root, 'proc/device-tree/model')),
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // Absent on most hosts.
    return '';
  }
}
