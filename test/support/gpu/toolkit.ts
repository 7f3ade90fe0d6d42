import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Puts an `nvidia-ctk` that tells this version into a directory of its own, to be put on PATH. */
export async function toolkitOf(version: string): Promise<AsyncDisposable & { readonly directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'nvidia-ctk-'));
  const program = join(directory, 'nvidia-ctk');
  await writeFile(
    program,
    `#!/bin/sh\necho "NVIDIA Container Toolkit CLI version ${version}"\necho "commit: 0"\n`,
  );
  await chmod(program, 0o755);
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
