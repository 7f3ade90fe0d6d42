import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const HERE = import.meta.dirname;
const run = promisify(execFile);

/** What one step in the virtual machine did; `seconds` are the machine’s, whole. */
export type Step = { readonly code: number; readonly output: string; readonly seconds: number };

/** What the virtual machine is given. */
export type Payload = {
  /** Shell scripts by their names, run in this order as root; each may take 600 seconds of the machine’s. */
  readonly steps: Readonly<Record<string, string>>;
  /** Files of this machine that the steps find in /payload, under their own names. */
  readonly files?: readonly string[];
};

/** The most that a boot with all its steps may take, in milliseconds. */
const BOOT_MS = 900_000;

const MACHINE = words(
  '-machine q35 -accel tcg,thread=multi,tb-size=512 -cpu max -smp 2 -m 2048',
  '-nodefaults -no-user-config -display none -nic none -no-reboot -serial stdio',
);

const KERNEL =
  'console=ttyS0 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on apparmor=0 systemd.show_status=0';

/**
 * Boots a whole Debian with systemd, cgroup v2 and Docker in software emulation, runs the steps in it and answers what
 * each did, by its name. It has no network, and nothing that it writes is kept. Docker there has the images
 * `localhost:5000/sharedcloud/busybox` and `.../python36`. Throws with the end of what the virtual machine said where it did not
 * come to its last step.
 */
export async function boot({ steps, files = [] }: Payload): Promise<ReadonlyMap<string, Step>> {
  const { stdout } = await run(join(HERE, 'build.sh'), { maxBuffer: 10 ** 7 });
  const vm = stdout.trim();
  await using work = await mkdtempDisposable(join(tmpdir(), 'sharedcloud-vm-'));
  const disk = await payloadDisk(work.path, steps, files);
  const drive = (file: string, how: string): readonly string[] => [
    ...words(`-device virtio-blk-pci,drive=${how} -drive`),
    `if=none,id=${how},file=${file},format=raw,cache=unsafe,${how}=on`,
  ];
  const program = [
    ...MACHINE,
    '-kernel',
    join(vm, 'vmlinuz'),
    '-initrd',
    join(vm, 'initrd.gz'),
    '-append',
    KERNEL,
    ...drive(join(vm, 'root.ext4'), 'snapshot'),
    ...drive(disk, 'readonly'),
  ];
  const machine = spawn('qemu-system-x86_64', program, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BOOT_MS,
    killSignal: 'SIGKILL',
  });
  const ended = once(machine, 'close');
  const [said, warnings] = await Promise.all([text(machine.stdout), text(machine.stderr)]);
  await ended;
  const done = readSteps(said);
  if (done.size < Object.keys(steps).length)
    throw new Error(`the virtual machine ended early:\n${warnings}${said.slice(-5_000)}`);
  return done;
}

function words(...lines: readonly string[]): readonly string[] {
  return lines.join(' ').split(' ');
}

/** A disk with the steps, numbered, and the files. */
async function payloadDisk(work: string, steps: Payload['steps'], files: readonly string[]): Promise<string> {
  const folder = join(work, 'payload');
  await mkdir(join(folder, 'steps'), { recursive: true });
  for (const [index, [name, script]] of Object.entries(steps).entries())
    await writeFile(join(folder, 'steps', `${String(index).padStart(3, '0')}-${name}`), script);
  for (const file of files) await copyFile(file, join(folder, basename(file)));
  const disk = join(work, 'payload.ext4');
  await run('truncate', ['-s', '1G', disk]);
  await run('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'lazy_itable_init=1', '-d', folder, disk]);
  return disk;
}

/** What run-steps.sh said of each step that came to its end. */
export function readSteps(said: string): ReadonlyMap<string, Step> {
  const found = said
    .replaceAll('\r', '')
    .matchAll(/^=== step \d+-(\S+)\n([^]*?)\n=== ended \d+-\1 (\d+) (\d+)$/gm);
  return new Map(
    [...found].map(([, name = '', output = '', code, seconds]) => [
      name,
      { code: Number(code), output: output.trim(), seconds: Number(seconds) },
    ]),
  );
}

/** Why no vm can be booted here; undefined: it can. */
export function whyNoVm(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make a virtual machine';
  const folders = (process.env['PATH'] ?? '').split(':');
  const tools = ['qemu-system-x86_64', 'mkfs.ext4', 'debootstrap', 'dockerd', 'busybox', 'cpio'];
  const tool = tools.find((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return tool === undefined ? undefined : `a virtual machine needs ${tool}`;
}
