import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPTS = join(import.meta.dirname, '../../../packaging/deb');
const UNITS = ['sharedcloud-agent.service', 'sharedcloud-agent-network.service'];

type Stand = { readonly systemctl?: string; readonly agent?: string; readonly docker?: string };

/** A root directory with the package's units, and stand-ins for all programs; `timeout` gives them half a second. */
async function open({ agent = 'true', docker = 'echo systemd', systemctl = 'true' }: Stand) {
  const root = await mkdtemp(join(tmpdir(), 'deb-root-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const units = join(root, 'usr/lib/systemd/system');
  for (const folder of ['bin', 'run/systemd/system', 'var/lib/sharedcloud-agent', 'usr/lib/systemd/system'])
    await mkdir(join(root, folder), { recursive: true });
  for (const unit of UNITS) await writeFile(join(units, unit), 'before');
  const program = (name: string, body: string): Promise<void> =>
    writeFile(join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >>"${root}/calls"\n${body}\n`, {
      mode: 0o755,
    });
  await program('systemctl', systemctl);
  await program('sharedcloud-agent', agent);
  await program('docker', docker);
  for (const name of ['getent', 'adduser', 'addgroup', 'install']) await program(name, 'true');
  await writeFile(join(root, 'bin/timeout'), '#!/bin/sh\nshift 2\nexec /usr/bin/timeout -k 0.1 0.5 "$@"\n', {
    mode: 0o755,
  });
  const env = { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, DPKG_ROOT: root };
  const run = (script: string, ...args: readonly string[]): Promise<number> =>
    new Promise((resolve) => {
      execFile('sh', [join(SCRIPTS, script), ...args], { env }, (error) =>
        resolve(error === null ? 0 : Number(error.code ?? 1)),
      );
    });
  const calls = async (): Promise<string> => readFile(join(root, 'calls'), 'utf8').catch(() => '');
  return { root, units, run, calls };
}

const HANGS = 'sleep 600';
const GPU_JOB = `echo '{ "jobs": [{ "gpu": "GPU-1" }] }'`;

test.each<[string, Stand]>([
  ['hang', { systemctl: HANGS, agent: HANGS, docker: HANGS }],
  ['fail', { systemctl: 'exit 1', agent: 'exit 1', docker: 'exit 1' }],
])('never keep or fail apt where systemd, Docker and the agent %s', async (_, stand) => {
  const { run } = await open(stand);
  expect(await run('preinst', 'upgrade', '0.1.0')).toBe(0);
  expect(await run('postinst', 'configure', '0.1.0')).toBe(0);
  expect(await run('postinst', 'configure')).toBe(0);
  expect(await run('prerm', 'remove')).toBe(0);
  expect(await run('postrm', 'remove')).toBe(0);
  expect(await run('postrm', 'purge')).toBe(0);
});

test('an upgrade with the same units reloads nothing', async () => {
  const { calls, root, run } = await open({});
  await run('preinst', 'upgrade', '0.1.0');
  await run('postinst', 'configure', '0.1.0');
  await run('postrm', 'upgrade', '0.2.0');
  expect(await calls()).not.toContain('daemon-reload');
  expect(await calls()).toContain('try-restart sharedcloud-agent.service');
  expect(existsSync(join(root, 'run/sharedcloud-agent-units'))).toBe(false);
});

test.each<[string, Stand, boolean]>([
  ['while no GPU job runs', {}, true],
  ['while a GPU job runs', { agent: GPU_JOB }, false],
  ['while a GPU job runs, with the driver cgroupfs', { agent: GPU_JOB, docker: 'echo cgroupfs' }, true],
  ['while the agent cannot say', { agent: 'exit 1' }, false],
])('an upgrade with other units %s: %o reloads: %s', async (_, stand, reloads) => {
  const { calls, run, units } = await open(stand);
  await run('preinst', 'upgrade', '0.1.0');
  for (const unit of UNITS) await writeFile(join(units, unit), 'after');
  await run('postinst', 'configure', '0.1.0');
  expect((await calls()).includes('daemon-reload')).toBe(reloads);
});

test('a removal under a GPU job reloads nothing', async () => {
  const { calls, root, run } = await open({ agent: GPU_JOB });
  await run('prerm', 'remove');
  await run('postrm', 'remove');
  expect(await calls()).not.toContain('daemon-reload');
  expect(existsSync(join(root, 'var/lib/sharedcloud-agent/unreported'))).toBe(true);
  const other = await open({});
  await other.run('prerm', 'remove');
  await other.run('postrm', 'remove');
  expect(await other.calls()).toContain('daemon-reload');
});

test.each(['preinst', 'postinst', 'prerm', 'postrm'])(
  '%s of this host takes no program from the caller’s PATH',
  async (name) => {
    const lines = (await readFile(join(SCRIPTS, name), 'utf8')).split('\n');
    const head = lines.slice(0, lines.findIndex((line) => line.includes('PATH=')) + 1);
    // Nothing before it runs a program.
    expect(head.filter((line) => !line.startsWith('#')).slice(0, -1)).toEqual(['set -e']);
    const pathWith = (env: Readonly<Record<string, string>>): string =>
      execFileSync('/bin/sh', ['-c', `${head.join('\n')}\n/usr/bin/printenv PATH`], { env })
        .toString()
        .trim();
    expect(pathWith({ PATH: '/home/x/bin', DPKG_ROOT: '' })).toBe('/usr/sbin:/usr/bin:/sbin:/bin');
    expect(pathWith({ PATH: '/home/x/bin' })).toBe('/usr/sbin:/usr/bin:/sbin:/bin');
  },
);
