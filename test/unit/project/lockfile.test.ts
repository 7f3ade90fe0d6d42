import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

async function lockedPackages() {
  const text = await readFile(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8');
  return Lock.parse(JSON.parse(text)).packages;
}

test('the lock file has the packages of every platform, without which npm ci refuses it', async () => {
  const packages = await lockedPackages();
  const missing = Object.entries(packages).flatMap(([where, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`${where}/node_modules/${name}`] === undefined &&
        packages[`node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});

test('only Node.js has an install script, so that npm ci warns of none', async () => {
  const packages = await lockedPackages();
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([where]) => where.replace(/^.*node_modules\//, ''));
  expect(scripted).toEqual(['node']);
});

test.each(['ssh2', '@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs'])(
  'dockerode’s dependency %s is replaced with an empty package',
  async (name) => {
    const packages = await lockedPackages();
    expect(packages[`node_modules/${name}`]).toMatchObject({ name: 'empty-npm-package' });
    expect(packages[`node_modules/dockerode/node_modules/${name}`]).toBeUndefined();
  },
);
