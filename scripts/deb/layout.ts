import { execFile } from 'node:child_process';
import { chmod, cp, lutimes, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { completionScript } from '../../src/cli/completion/command.ts';
import { COMMANDS } from '../docs/commands.ts';

const run = promisify(execFile);

/** The maintainer scripts, which dpkg calls. */
export const MAINTAINER_SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'] as const;

const HOME = 'usr/lib/sharedcloud-agent';
const DOC = 'usr/share/doc/sharedcloud-agent';

/** Where each shell looks for the completion of a command. */
const COMPLETIONS = [
  ['bash', 'usr/share/bash-completion/completions/sharedcloud-agent'],
  ['zsh', 'usr/share/zsh/vendor-completions/_sharedcloud-agent'],
  ['fish', 'usr/share/fish/vendor_completions.d/sharedcloud-agent.fish'],
] as const;

/** Copies the package's files below `stage`, at their paths on an owner's host; returns their size in KiB. */
export async function install(root: string, stage: string): Promise<number> {
  const put = async (from: string, to: string, mode: number): Promise<void> => {
    await mkdir(dirname(join(stage, to)), { recursive: true });
    await cp(join(root, from), join(stage, to), { dereference: true });
    await chmod(join(stage, to), mode);
  };
  await put('node_modules/node/bin/node', `${HOME}/bin/node`, 0o755);
  await put('bin/sharedcloud-agent.cjs', `${HOME}/bin/sharedcloud-agent.cjs`, 0o755);
  await put('package.json', `${HOME}/package.json`, 0o644);
  await put('packaging/deb/sharedcloud-agent', 'usr/bin/sharedcloud-agent', 0o755);
  await put('packaging/config.toml', 'etc/sharedcloud-agent/config.toml', 0o644);
  await put('LICENSE', `${DOC}/copyright`, 0o644);
  for (const unit of await unitsIn(join(root, 'systemd')))
    await put(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`, 0o644);
  for (const unit of await unitsIn(join(root, 'systemd/user')))
    await put(`systemd/user/${unit}`, `usr/lib/systemd/user/${unit}`, 0o644);
  for (const hook of await readdir(join(root, 'packaging/slurm')))
    await put(`packaging/slurm/${hook}`, `usr/share/sharedcloud-agent/slurm/${hook}`, 0o755);
  for (const file of await readdir(join(root, 'packaging/monitoring')))
    await put(`packaging/monitoring/${file}`, `usr/share/sharedcloud-agent/monitoring/${file}`, 0o644);
  await putZipped(join(root, 'CHANGELOG.md'), join(stage, DOC, 'changelog.gz'));
  await putZipped(
    join(root, 'dist/sharedcloud-agent.8'),
    join(stage, 'usr/share/man/man8/sharedcloud-agent.8.gz'),
  );
  for (const [shell, path] of COMPLETIONS) {
    await mkdir(dirname(join(stage, path)), { recursive: true });
    await writeFile(join(stage, path), completionScript(shell, COMMANDS), { mode: 0o644 });
  }
  await cp(join(root, 'dist'), join(stage, HOME, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.d.ts') && !path.endsWith('.8'),
  });
  await installLibraries(root, join(stage, HOME));
  return tidy(stage);
}

async function unitsIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.service'));
}

/** Installs the runtime dependencies of the lock file, without their install scripts. */
async function installLibraries(root: string, home: string): Promise<void> {
  await cp(join(root, 'package-lock.json'), join(home, 'package-lock.json'));
  const flags = [
    '--omit=dev',
    '--omit=optional',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
  ];
  await run('npm', ['ci', ...flags], { cwd: home });
  await rm(join(home, 'package-lock.json'));
  await rm(join(home, 'node_modules/.package-lock.json'), { force: true });
  await leaveOut(join(home, 'node_modules'));
}

/** Deletes what only developers need: types, sources, maps, texts. */
async function leaveOut(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await leaveOut(path);
    else if (/\.(?:[mc]?ts|map|md|markdown)$/i.test(entry.name)) await rm(path);
  }
}

/** Without a timestamp. */
async function putZipped(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, gzipSync(await readFile(from), { level: 9 }), { mode: 0o644 });
}

/** Sets the usual modes of packages, whatever the umask; returns the total size in KiB. */
async function tidy(directory: string): Promise<number> {
  await chmod(directory, 0o755);
  let kilobytes = 4;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) kilobytes += await tidy(path);
    else if (entry.isFile()) {
      const { mode, size } = await stat(path);
      await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755);
      kilobytes += Math.ceil(size / 1024);
    }
  }
  return kilobytes;
}

/** Sets the time of everything below `directory`, in seconds since the epoch. */
export async function stamp(directory: string, epoch: number): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await stamp(path, epoch);
    else await lutimes(path, epoch, epoch);
  }
  await lutimes(directory, epoch, epoch);
}
