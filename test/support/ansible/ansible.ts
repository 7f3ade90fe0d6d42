import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Debian } from '../package/debian.ts';

const PLAYBOOKS = resolve(import.meta.dirname, '../../../packaging/ansible');

/** What a run of a playbook did. */
export type Played = {
  readonly code: number;
  /** All that it printed, at its most talkative. */
  readonly output: string;
  /** How many tasks changed something on the host. */
  readonly changed: number;
};

/**
 * Plays the project's playbook against a booted Debian that has Python, over the local connection, with a shell that
 * enters it: modules are copied to a directory that both see.
 */
export async function play(
  debian: Debian,
  variables: Readonly<Record<string, unknown>>,
  ...flags: readonly string[]
): Promise<Played> {
  const work = join(debian.shared, 'ansible');
  await mkdir(work, { recursive: true });
  const shell = join(work, 'enter');
  await writeFile(shell, `#!/bin/sh\nexec ${debian.enter.join(' ')} /bin/sh "$@"\n`);
  await chmod(shell, 0o755);
  const all = {
    ...variables,
    ansible_connection: 'local',
    ansible_python_interpreter: '/usr/bin/python3',
    ansible_remote_tmp: work,
    ansible_shell_executable: '/bin/sh',
  };
  await writeFile(join(work, 'variables.json'), JSON.stringify(all), { mode: 0o600 });
  await writeFile(join(work, 'inventory.yml'), 'sharedcloud: { hosts: { rig: } }\n');
  const argv = ['-i', join(work, 'inventory.yml'), '-e', `@${join(work, 'variables.json')}`, ...flags];
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: work,
    LC_ALL: 'C.UTF-8',
    ANSIBLE_EXECUTABLE: shell,
    ANSIBLE_LOCAL_TEMP: join(work, 'local'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
  };
  return new Promise((done) => {
    execFile('ansible-playbook', [...argv, join(PLAYBOOKS, 'site.yml')], { env }, (error, stdout, stderr) => {
      const changed = Number(/^rig\s.*\bchanged=(\d+)/m.exec(stdout)?.[1] ?? Number.NaN);
      done({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr, changed });
    });
  });
}
