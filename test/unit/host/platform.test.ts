import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readPlatform } from '../../../src/host/platform.ts';

/** A root directory with these files. */
async function rootWith(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'platform-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  return root;
}

const RELEASE = 'proc/sys/kernel/osrelease';

describe('the platform', () => {
  test.each([
    [{ [RELEASE]: '6.1.0-18-amd64\n' }, 'linux'],
    [{}, 'linux'],
    [{ [RELEASE]: '5.15.167.4-microsoft-standard-WSL2\n', 'dev/dxg': '' }, 'wsl2'],
    [{ [RELEASE]: '5.15.167.4-microsoft-standard-WSL2\n' }, 'wsl2'],
    [{ [RELEASE]: '6.6.36-microsoft-custom\n', 'dev/dxg': '' }, 'wsl2'],
    [{ [RELEASE]: '4.4.0-19041-Microsoft\n' }, 'wsl1'],
    [{ [RELEASE]: '5.15.148-tegra\n', 'etc/nv_tegra_release': '# R36' }, 'jetson'],
    [{ [RELEASE]: '6.8.12\n', 'proc/device-tree/model': 'NVIDIA Jetson AGX Thor Developer Kit\0' }, 'jetson'],
    [{ [RELEASE]: '6.8.12\n', 'proc/device-tree/model': 'Raspberry Pi 5\0' }, 'linux'],
  ])('of a host with %j is %s', async (files, platform) => {
    expect(readPlatform(await rootWith(files))).toBe(platform);
  });
});
