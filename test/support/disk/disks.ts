import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

/** Why a disk of this kind cannot be had here; undefined: it can. */
export function whyNot(disk: () => Disposable): string | undefined {
  try {
    disk()[Symbol.dispose]();
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** A disk of a few megabytes in memory, which can be filled to the last byte and emptied again. */
export class SmallDisk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'small-disk-'));

  constructor(size = '5m') {
    orRemove(this.path, () => mount(['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.path]));
  }

  /** Leaves no room but for so many bytes. */
  fill(but = 0): void {
    const file = openSync(join(this.path, 'filling'), 'a');
    try {
      for (let bytes = 1024 * 1024; bytes >= 512; ) if (!wrote(file, bytes)) bytes /= 2;
      ftruncateSync(file, Math.max(fstatSync(file).size - but, 0));
    } finally {
      closeSync(file);
    }
  }

  /** Lets it be written, or only read; no file may be open for writing. */
  remount(how: 'ro' | 'rw'): void {
    mount(['-o', `remount,${how}`, this.path]);
  }

  /** Makes room again. */
  empty(): void {
    rmSync(join(this.path, 'filling'), { force: true });
  }

  [Symbol.dispose](): void {
    unmount(this.path);
    rmSync(this.path, { recursive: true });
  }
}

/** A disk on which the file system gives up writing, as it does after an error of the hardware. */
export class SickDisk implements Disposable {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sick-disk-'));
  readonly #image: string;

  constructor() {
    this.#image = join(this.#directory, 'image');
    this.path = join(this.#directory, 'disk');
    mkdirSync(this.path);
    closeSync(openSync(this.#image, 'w'));
    truncateSync(this.#image, 32 * 1024 * 1024);
    orRemove(this.#directory, () => {
      run('mkfs.ext4', ['-q', this.#image]);
      mount(['-o', 'loop', this.#image, this.path]);
    });
  }

  /** From now on nothing can be written, also through files that are open. */
  failWrites(): void {
    mount(['-o', 'remount,abort', this.path]);
  }

  /** Checks it and mounts it again, as an owner would; nothing may use it meanwhile. */
  async repair(): Promise<void> {
    run('umount', [this.path]);
    // A container that is just being made elsewhere has all mounts of the host for a moment; as long as it has,
    // the same sick file system would be mounted again.
    await vi.waitUntil(() => run('losetup', ['-j', this.#image]) === '', 20_000);
    // 1: errors were corrected.
    run('fsck.ext4', ['-p', '-f', this.#image], [0, 1]);
    mount(['-o', 'loop', this.#image, this.path]);
  }

  [Symbol.dispose](): void {
    unmount(this.path);
    rmSync(this.#directory, { recursive: true });
  }
}

/** An ext4 of so many megabytes, all of which anybody may use. */
export class LoopDisk implements Disposable {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'loop-disk-'));

  constructor(megabytes: number) {
    const image = join(this.#directory, 'image');
    this.path = join(this.#directory, 'disk');
    mkdirSync(this.path);
    closeSync(openSync(image, 'w'));
    truncateSync(image, megabytes * 1024 * 1024);
    orRemove(this.#directory, () => {
      run('mkfs.ext4', ['-q', '-m', '0', image]);
      mount(['-o', 'loop', image, this.path]);
    });
  }

  /** Takes so many bytes of it, which no engine knows of. */
  fill(bytes: number): void {
    run('fallocate', ['-l', String(bytes), join(this.path, 'filling')]);
  }

  [Symbol.dispose](): void {
    unmount(this.path);
    rmSync(this.#directory, { recursive: true });
  }
}

/** A disk with room for a few files only, as long as they are: an ext4 with so many inodes. */
export class FewInodes implements Disposable {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'few-inodes-'));

  constructor(inodes = 64) {
    const image = join(this.#directory, 'image');
    this.path = join(this.#directory, 'disk');
    mkdirSync(this.path);
    closeSync(openSync(image, 'w'));
    truncateSync(image, 32 * 1024 * 1024);
    orRemove(this.#directory, () => {
      run('mkfs.ext4', ['-q', '-N', String(inodes), image]);
      mount(['-o', 'loop', image, this.path]);
    });
  }

  /** Uses all inodes. */
  fill(): void {
    for (let number = 0; ; number += 1) {
      try {
        closeSync(openSync(join(this.path, `file-${number}`), 'w'));
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') return;
        throw cause;
      }
    }
  }

  [Symbol.dispose](): void {
    unmount(this.path);
    rmSync(this.#directory, { recursive: true });
  }
}

/** Something that cannot be written, laid over a directory until it is disposed of. */
export function readOnlyOver(directory: string): Disposable {
  mount(['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', directory]);
  return { [Symbol.dispose]: () => unmount(directory) };
}

/** Leaves no directory where what was to be mounted in it was not. */
function orRemove(directory: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    rmSync(directory, { recursive: true });
    throw cause;
  }
}

function wrote(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 1)) === bytes;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') return false;
    throw cause;
  }
}

function mount(argv: readonly string[]): void {
  run('mount', argv);
}

/** Lazily: a test that has failed may have left something that uses it. */
function unmount(path: string): void {
  run('umount', ['-l', path]);
}

function run(program: string, argv: readonly string[], fine: readonly number[] = [0]): string {
  const { error, status, stderr, stdout } = spawnSync(program, argv, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status === null || !fine.includes(status)) throw new Error(`${program} failed: ${stderr.trim()}`);
  return stdout.trim();
}
