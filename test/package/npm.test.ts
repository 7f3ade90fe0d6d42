import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { build } from '../support/package/build.ts';

/* The npm package: packed, installed in an empty directory by this machine's npm, and used from there. */

const run = promisify(execFile);

describe('the npm package', () => {
  let home = '';
  const cli = (...args: readonly string[]) => {
    const options = { cwd: home, env: { PATH: '/usr/bin:/bin' } };
    const entry = join(home, 'node_modules/.bin/sharedcloud-agent');
    return new Promise<{ readonly code: number; readonly stdout: string }>((done) => {
      execFile(process.execPath, [entry, ...args], options, (error, stdout) =>
        done({ code: error === null ? 0 : Number(error.code), stdout }),
      );
    });
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'sharedcloud-npm-'));
    const stdout = await build('npm', 'pack', '--silent', '--pack-destination', home);
    await writeFile(join(home, 'package.json'), '{ "private": true }');
    const tarball = join(home, stdout.trim().split('\n').at(-1) ?? '');
    const flags = ['--prefer-offline', '--omit=optional', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, tarball], { cwd: home });
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  test('brings what runs, with types, and no sources or tests', async () => {
    const bundled = ['-path', '*/sharedcloud-agent/node_modules', '-prune', '-o'];
    const find = ['node_modules/sharedcloud-agent', ...bundled, '-type', 'f', '-print'];
    const { stdout } = await run('find', find, { cwd: home });
    const files = stdout
      .trim()
      .split('\n')
      .map((path) => path.replace('node_modules/sharedcloud-agent/', ''));
    const places = new Set(files.map((path) => path.split('/')[0]));
    expect([...places].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json'].filter((name) =>
        places.has(name),
      ),
    );
    expect(places).toContain('bin');
    for (const file of ['main.js', 'main.d.ts', 'function/loaders/loader.py', 'sharedcloud-agent.8'])
      expect(files).toContain(`dist/${file}`);
    expect(files.filter((path) => /\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  test('tells its version, and shows the whole lifecycle in a dry run', async () => {
    expect(await cli('--version')).toMatchObject({ code: 0, stdout: '0.1.0\n' });
    const { code, stdout } = await cli('dry-run', '--json', '--nvidia-smi', '/nonexistent');
    expect(code).toBe(0);
    const { runs } = z.object({ runs: z.array(z.unknown()) }).parse(JSON.parse(stdout));
    expect(runs.length).toBeGreaterThan(3);
  });

  test('checks the host', async () => {
    const { stdout } = await cli('check', '--json', '--state-dir', join(home, 'state'));
    expect(JSON.parse(stdout)).toHaveProperty('checks');
  });
});
