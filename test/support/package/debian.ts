/* oxlint-disable vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/valid-title, vitest/expect-expect,
   vitest/valid-describe-callback -- this file decides whether a suite runs. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { build } from './build.ts';

const HERE = import.meta.dirname;
const run = promisify(execFile);

/** What a command in the Debian did. */
export type Done = { readonly code: number; readonly output: string };

/** A clean Debian with a real systemd as its process 1, in namespaces of its own; only the network is the machine's. */
export class Debian implements AsyncDisposable {
  /** A directory that both see under the same path. */
  readonly shared: string;
  readonly #work: string;
  readonly #unshare: ReturnType<typeof spawn>;
  readonly #init: string;

  private constructor(parts: {
    readonly shared: string;
    readonly work: string;
    readonly unshare: ReturnType<typeof spawn>;
    readonly init: string;
  }) {
    this.shared = parts.shared;
    this.#work = parts.work;
    this.#unshare = parts.unshare;
    this.#init = parts.init;
  }

  /** Boots one, which has these Debian packages as well; resolves when its start is over. */
  static async boot(...packages: readonly [] | readonly [string]): Promise<Debian> {
    const root = (await run(join(HERE, 'debian-root.sh'), packages)).stdout.trim();
    const work = await mkdtemp(join(tmpdir(), 'sharedcloud-debian-'));
    // Not below /tmp: services have one of their own.
    const shared = await mkdtemp('/var/lib/sharedcloud-agent-test-');
    await chmod(shared, 0o755);
    const unshare = spawn(join(HERE, 'boot.sh'), [root, work, shared], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const init = await vi.waitFor(() => childOf(unshare.pid ?? 0), { timeout: 20_000, interval: 50 });
    const debian = new Debian({ shared, work, unshare, init });
    await vi.waitFor(
      async () => {
        const { output } = await debian.run('systemctl', 'is-system-running');
        if (!/^(running|degraded)/m.test(output)) throw new Error(`systemd is still ${output}`);
      },
      { timeout: 60_000, interval: 200 },
    );
    return debian;
  }

  /** The command that executes in it, as root, what follows it. */
  get enter(): readonly string[] {
    const all = ['--mount', '--pid', '--uts', '--ipc', '--cgroup', '--root', '--wd'];
    return ['nsenter', '--target', this.#init, ...all, '--'];
  }

  /** Runs a program in it, as root, to its end. */
  run(program: string, ...args: readonly string[]): Promise<Done> {
    const [nsenter = '', ...inside] = [...this.enter, program, ...args];
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
    return new Promise((done) => {
      execFile(nsenter, inside, { env }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
      });
    });
  }

  /** Runs a line of shell in it; fails where that fails. Answers what it printed. */
  async sh(line: string): Promise<string> {
    const { code, output } = await this.run('/bin/sh', '-c', line);
    if (code !== 0) throw new Error(`«${line}» ended with ${code}:\n${output}`);
    return output.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#unshare, 'close');
    this.#unshare.kill('SIGKILL');
    await gone;
    const group = (await readFile(join(this.#work, 'cgroup'), 'utf8')).trim();
    for (const hierarchy of ['systemd', 'devices'])
      await removeGroups(join('/sys/fs/cgroup', hierarchy, group));
    await rm(this.#work, { recursive: true, force: true });
    await rm(this.shared, { recursive: true, force: true });
  }
}

/** The only child of a process, in our numbers. */
async function childOf(pid: number): Promise<string> {
  const child = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  if (!/^\d+$/.test(child)) throw new Error(`process ${pid} has no child yet`);
  // While it still is the shell that sets everything up there is nothing to enter.
  if ((await readFile(`/proc/${child}/comm`, 'utf8')).trim() !== 'systemd')
    throw new Error('still setting up');
  return child;
}

/** Control groups are directories that only `rmdir` removes, when their last process has gone. */
async function removeGroups(directory: string): Promise<void> {
  const { stdout } = await run('find', [directory, '-depth', '-type', 'd']);
  for (const group of stdout.trim().split('\n'))
    await vi.waitFor(() => rmdir(group), { timeout: 5_000, interval: 50 });
}

/** The Debian package of this tree; builds it. */
export async function buildPackage(): Promise<string> {
  const stdout = await build('npm', 'run', '-s', 'deb');
  return stdout.trim().split('\n').at(-1) ?? '';
}

/** The same Debian package under another version; answers where it is, below `directory`. */
export async function repackage(deb: string, version: string, directory: string): Promise<string> {
  const tree = join(directory, `tree-${version}`);
  const path = join(directory, `${version}.deb`);
  await run('dpkg-deb', ['--raw-extract', deb, tree]);
  await run('sed', ['-i', `s/^Version: .*/Version: ${version}/`, join(tree, 'DEBIAN/control')]);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, path]);
  await rm(tree, { recursive: true });
  return path;
}

/** Why this machine cannot run a Debian of its own, or lacks these tools; undefined: it can. */
function whyNot(more: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can boot a Debian';
  const folders = (process.env['PATH'] ?? '').split(':');
  const tools = ['debootstrap', 'unshare', 'nsenter', 'dpkg-deb', ...more];
  const missing = tools.find((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return missing === undefined ? undefined : `${missing} is missing`;
}

/** A suite that needs a Debian of its own; skipped under a name that says why, or failed where CI=true. */
export function describeDebian(name: string, body: () => void, ...tools: readonly string[]): void {
  const missing = whyNot(tools);
  if (missing === undefined) describe(name, body);
  else if (process.env['CI'] === 'true') test(name, () => expect.fail(missing));
  else
    describe.skip(`${name} (skipped: ${missing})`, () => {
      test('is not tried', () => undefined);
    });
}
