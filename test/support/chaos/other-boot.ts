import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a process is to be executed through so that the kernel seems to have been booted again: a mount namespace of
 * its own, in which its boot id is another. Root is needed.
 */
export async function otherBoot(directory: string): Promise<readonly string[]> {
  const file = join(directory, 'boot-id');
  await writeFile(file, `${randomUUID()}\n`);
  const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  return ['unshare', '--mount', 'sh', '-c', script, file];
}
