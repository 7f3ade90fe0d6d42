import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tar } from '../../../../../src/lib/tar.ts';
import { copyProgram } from '../../../../../src/runtime/docker/test-image/program.ts';
import { testImage } from '../../../../../src/runtime/docker/test-image/test-image.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'test-image-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** What runs the program of an architecture here: nothing for this machine's own, QEMU for another. */
const emulator = { amd64: 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' } as const;
const own = process.arch === 'x64' ? 'amd64' : process.arch;
const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe.each(['amd64', 'arm64'] as const)('the program for %s', (architecture) => {
  const prefix = architecture === own ? [] : [emulator[architecture]];

  test.skipIf(!prefix.every(isThere))('copies a file to its output', async () => {
    const program = join(dir, 'copy');
    const file = join(dir, 'file');
    const content = Buffer.from('line\n'.repeat(5_000));
    await writeFile(program, copyProgram(architecture), { mode: 0o755 });
    await writeFile(file, content);
    const [command, ...args]: readonly string[] = [...prefix, program];
    const run = (...more: string[]) => spawnSync(command ?? program, [...args, ...more]);
    expect(run(file).stdout).toEqual(content);
    expect(run(file).status).toBe(0);
    expect(run(join(dir, 'missing')).status).toBe(1);
    expect(run(dir).status).toBe(1);
    expect(run().status).toBe(1);
  });

  test('is a small static executable of that architecture', () => {
    const file = copyProgram(architecture);
    expect(file.length).toBeLessThan(400);
    expect(file.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(file.readUInt16LE(18)).toBe(architecture === 'amd64' ? 0x3e : 0xb7);
  });
});

test('an archive is one that tar can read', async () => {
  const file = join(dir, 'a.tar');
  const content = Buffer.from('content');
  await writeFile(file, tar([{ path: 'usr' }, { path: 'usr/file', content, mode: 0o755 }]));
  const listed = execFileSync('tar', ['-tvf', file]).toString();
  expect(listed).toMatch(/^drwxr-xr-x \S+ +0 .* usr\/\n-rwxr-xr-x \S+ +7 .* usr\/file\n$/);
  expect(execFileSync('tar', ['-xOf', file, 'usr/file'])).toEqual(content);
});

test('the image is always the same, and names its version and architecture', async () => {
  const { archive, ref } = testImage('arm64');
  expect(ref).toMatch(/:\d+-arm64$/);
  expect(testImage('arm64').archive.equals(archive)).toBe(true);
  const file = join(dir, 'image.tar');
  await writeFile(file, archive);
  const layers = execFileSync('tar', ['-xOf', file, 'layer.tar']);
  const names = execFileSync('tar', ['-t'], { input: layers }).toString().split('\n');
  // Nvidia's hooks write to these.
  expect(names).toEqual(expect.arrayContaining(['etc/', 'tmp/', 'usr/bin/', 'usr/lib/', 'copy']));
});

const { command, diffId, ref } = testImage('amd64');
const IMAGE = { Id: 'sha256:own', RootFS: { Layers: [diffId] }, Config: { Cmd: command } };
const BUSYBOX_LAYER = `sha256:${'1'.repeat(64)}`;

test.each<[string, object, boolean]>([
  ['itself', IMAGE, false],
  ['itself with empty fields', { ...IMAGE, Config: { Cmd: command, Entrypoint: [], Env: null } }, false],
  ['other files', { ...IMAGE, RootFS: { Layers: [BUSYBOX_LAYER] } }, true],
  ['one more layer', { ...IMAGE, RootFS: { Layers: [diffId, BUSYBOX_LAYER] } }, true],
  ['another command', { ...IMAGE, Config: { Cmd: ['/copy', '/etc/passwd'] } }, true],
  ['an entrypoint', { ...IMAGE, Config: { Cmd: command, Entrypoint: ['/bin/sh'] } }, true],
  ['variables', { ...IMAGE, Config: { Cmd: command, Env: ['LD_PRELOAD=/x'] } }, true],
  ['no known form', {}, true],
])('the image of this name with %s is loaded again: %o', async (_, shown, again) => {
  let isLoaded = false;
  await using engine = await scriptedEngine((path) => {
    if (path === '/version') return { json: { Arch: 'amd64', ApiVersion: '1.41' } };
    if (path === `/images/${ref}/json`) return { json: isLoaded ? IMAGE : { ...shown, Id: 'sha256:here' } };
    isLoaded ||= path === '/images/load';
    return { json: {} };
  });
  const id = await testRuntime(engine.host).runtime.testImage(AbortSignal.timeout(10_000));
  expect(id).toBe(again ? 'sha256:own' : 'sha256:here');
  expect(isLoaded).toBe(again);
});

test.each<[string, unknown]>([
  ['says why', { errorDetail: { message: 'no space left on device' }, error: 'no space left on device' }],
  ['has a disk that fails', { error: 'mkdir /var/lib/docker/tmp/docker-import-1: input/output error' }],
  ['says nothing', { stream: 'Loaded image: x' }],
])('an import that failed although its status was 200 is an error, where Docker %s', async (_, line) => {
  await using engine = await scriptedEngine((path) => {
    if (path === '/version') return { json: { Arch: 'amd64', ApiVersion: '1.41' } };
    if (path === '/images/load') return { json: line };
    return { status: 404, message: `No such image: ${ref}` };
  });
  const error = await rejection(testRuntime(engine.host).runtime.testImage(AbortSignal.timeout(10_000)));
  expect(error).toMatchObject({ code: 'RUNTIME_FAILED', hint: expect.any(String) as unknown });
});
