import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OciRuntime } from '../../../../../src/runtime/docker/engine/facts.ts';
import { readGvisor } from '../../../../../src/runtime/docker/engine/gvisor.ts';
import { facts } from '../../../../support/engine/facts.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runsc-'));
  // As the runsc of Debian sid answers.
  const runsc =
    '#!/bin/sh\n[ "$*" = "nvproxy list-supported-drivers" ] && printf "535.129.03\\n550.90.07\\n"\n';
  await writeFile(join(dir, 'runsc'), runsc, { mode: 0o755 });
  // As the runsc of Debian 12 answers, which has no such subcommand.
  await writeFile(join(dir, 'old'), '#!/bin/sh\necho "Usage: runsc <flags>"\nexit 128\n', { mode: 0o755 });
  await writeFile(join(dir, 'on.toml'), '[runsc_config]\nnvproxy = "true"\n');
  await writeFile(join(dir, 'bad.toml'), '[');
});
afterAll(() => rm(dir, { recursive: true }));

const read = (runtime: Partial<OciRuntime>, isLocal = true) =>
  readGvisor(
    { path: undefined, args: [], configPath: undefined, ...runtime },
    isLocal,
    AbortSignal.timeout(10_000),
  );

describe('what an engine’s runsc can do for GPUs', () => {
  test.each([
    [[], false],
    [['--network=none'], false],
    [['--nvproxy'], true],
    [['-nvproxy'], true],
    [['--debug', '--nvproxy=true'], true],
    [['--nvproxy=false'], false],
  ])('with the arguments %j has nvproxy: %s', async (args, nvproxy) => {
    expect((await read({ args })).nvproxy).toBe(nvproxy);
  });

  test('is also in the configuration file of its shim, as far as that is on this machine', async () => {
    expect((await read({ configPath: join(dir, 'on.toml') })).nvproxy).toBe(true);
    expect((await read({ configPath: join(dir, 'bad.toml') })).nvproxy).toBe(false);
    expect((await read({ configPath: join(dir, 'on.toml') }, false)).nvproxy).toBeUndefined();
  });

  test('includes the drivers that it knows, if it can list them', async () => {
    const path = join(dir, 'runsc');
    expect((await read({ path })).drivers).toEqual(['535.129.03', '550.90.07']);
    expect((await read({ path: join(dir, 'old') })).drivers).toBeUndefined();
    expect((await read({ path: join(dir, 'nowhere') })).drivers).toBeUndefined();
    expect((await read({ path }, false)).drivers).toBeUndefined();
    expect((await read({ path, args: ['--nvproxy-driver-version=latest'] })).drivers).toBeUndefined();
  });

  test.runIf(existsSync('/usr/bin/runsc'))('is read from a real runsc', async () => {
    const { drivers, nvproxy } = await read({ path: '/usr/bin/runsc', args: ['--nvproxy'] });
    expect(nvproxy).toBe(true);
    expect(drivers?.every((driver) => /^\d+\.\d+/.test(driver)) ?? true).toBe(true);
  });
});

test('an engine describes runsc by its arguments, or by the file of its shim', () => {
  const at = (runsc: object) => facts({ Runtimes: { runc: {}, runsc } }).gvisor;
  expect(facts().gvisor).toBeUndefined();
  expect(at({ path: '/usr/bin/runsc', runtimeArgs: ['--nvproxy'] })).toEqual({
    path: '/usr/bin/runsc',
    args: ['--nvproxy'],
    configPath: undefined,
  });
  const shim = {
    runtimeType: 'io.containerd.runsc.v1',
    options: { TypeUrl: 'x', ConfigPath: '/etc/runsc.toml' },
  };
  expect(at(shim)).toEqual({ path: undefined, args: [], configPath: '/etc/runsc.toml' });
  expect(at({ path: 7 })).toEqual({ path: undefined, args: [], configPath: undefined });
});
