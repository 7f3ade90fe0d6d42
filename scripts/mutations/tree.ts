import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutation, mutate } from './mutation.ts';

/** A copy of the working tree, in which protections can be removed. Disposing deletes it. */
export class Tree implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'mutations-'));

  constructor(root: string) {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: root,
      encoding: 'utf8',
    });
    const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
    for (const file of files) cpSync(join(root, file), join(this.path, file));
    symlinkSync(join(root, 'node_modules'), join(this.path, 'node_modules'));
  }

  /** Removes a protection until the end of a scope. */
  without(mutation: Mutation): Disposable {
    const file = join(this.path, mutation.file);
    const content = readFileSync(file, 'utf8');
    writeFileSync(file, mutate(content, mutation));
    return { [Symbol.dispose]: () => writeFileSync(file, content) };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
