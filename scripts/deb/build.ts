import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { control } from './control.ts';
import { install, MAINTAINER_SCRIPTS, stamp } from './layout.ts';

const run = promisify(execFile);
const PACKAGE = z.object({ name: z.string(), version: z.string(), description: z.string() });

/** Debian's names for the architectures that Node.js knows. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Builds the Debian package of the tree at `root`, whose `dist/` is up to date; returns its path. Content and
 * timestamps depend only on the tree, so two builds of one commit are identical.
 */
export async function buildDeb(root: string): Promise<string> {
  const about = PACKAGE.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`Debian knows no architecture ${process.arch}`);
  const epoch = await lastChange(root);
  const stage = await mkdtemp(join(tmpdir(), 'sharedcloud-deb-'));
  try {
    const kilobytes = await install(root, stage);
    await mkdir(join(stage, 'DEBIAN'), { mode: 0o755 });
    const fields = { ...about, architecture, kilobytes };
    await writeFile(join(stage, 'DEBIAN/control'), control(fields), { mode: 0o644 });
    await writeFile(join(stage, 'DEBIAN/conffiles'), '/etc/sharedcloud-agent/config.toml\n', { mode: 0o644 });
    for (const name of MAINTAINER_SCRIPTS) {
      const script = await readFile(join(root, 'packaging/deb', name), 'utf8');
      await writeFile(join(stage, 'DEBIAN', name), script, { mode: 0o755 });
    }
    await stamp(stage, epoch);
    await mkdir(join(root, 'out'), { recursive: true });
    const deb = join(root, 'out', `${about.name}_${about.version}_${architecture}.deb`);
    // Every dpkg in use reads gzip. The level balances time and size.
    await run('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', stage, deb], {
      env: { ...pathOnly(), SOURCE_DATE_EPOCH: String(epoch) },
    });
    return deb;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** The time of the last commit, in seconds since the epoch; 2026-01-01 for a tree without history. */
async function lastChange(root: string): Promise<number> {
  try {
    return Number((await run('git', ['-C', root, 'log', '-1', '--format=%ct'])).stdout.trim());
  } catch {
    return Date.UTC(2026, 0, 1) / 1000;
  }
}

function pathOnly(): { readonly PATH: string } {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
}
