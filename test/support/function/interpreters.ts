import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** An interpreter on this machine. */
export type Interpreter = { readonly name: string; readonly path: string };

const PYTHONS = ['2.7', ...Array.from({ length: 8 }, (_, index) => `3.${index + 6}`)];
const NODES = ['8', '10', '12', '14', '16', '18', '20', '22', '24'];

/** The Pythons of this machine, one per version, from pyenv or else from PATH. */
export function pythons(): readonly Interpreter[] {
  return PYTHONS.flatMap((version) => {
    const found = [...pyenvPythons(version), ...onPath(`python${version}`)].find((path) =>
      isPython(path, version),
    );
    return found === undefined ? [] : [{ name: `Python ${version}`, path: found }];
  });
}

/** The Node.js that runs the tests, and the old ones that `fetch-old-nodes.sh` downloaded. */
export function nodes(): readonly Interpreter[] {
  const cached = NODES.flatMap((version) => {
    const path = join(import.meta.dirname, '../../../.cache/nodes', version, 'bin/node');
    return existsSync(path) ? [{ name: `Node.js ${version}`, path }] : [];
  });
  return [{ name: `Node.js ${process.versions.node} (this one)`, path: process.execPath }, ...cached];
}

/** The versions that the tests want beside `found`. */
export function missing(found: readonly Interpreter[], kind: 'Python' | 'Node.js'): readonly string[] {
  const wanted = kind === 'Python' ? PYTHONS : ['8', '10', '12'];
  const names = new Set(found.map((interpreter) => interpreter.name));
  return wanted.map((version) => `${kind} ${version}`).filter((name) => !names.has(name));
}

/** A CPython whose `ast.literal_eval` the agent follows (3.10 or later). */
export function modernPython(): Interpreter | undefined {
  return pythons().findLast((python) => /^Python 3\.1\d$/.test(python.name));
}

function pyenvPythons(version: string): readonly string[] {
  const root = join(process.env['HOME'] ?? '/nonexistent', '.pyenv/versions');
  if (!existsSync(root)) return [];
  const names = readdirSync(root).filter((name) => name === version || name.startsWith(`${version}.`));
  return names.map((name) => join(root, name, 'bin/python'));
}

function onPath(name: string): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [name, 'python3'].flatMap((file) => folders.map((folder) => join(folder, file))).filter(existsSync);
}

/** Asks the interpreter itself, because version managers have shims for versions that are not installed. */
function isPython(path: string, version: string): boolean {
  const script = 'import sys; sys.stdout.write("%d.%d" % sys.version_info[:2])';
  try {
    return (
      execFileSync(path, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }) ===
      version
    );
  } catch (failure) {
    return failure === undefined;
  }
}
