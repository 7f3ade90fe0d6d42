import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobInput } from '../../../src/domain/ports/job-files.ts';
import { JobFolders } from '../../../src/function/job-files.ts';

const JOB = '0b5e2a3c-6d1f-4a55-9f6e-2f1f7f3d8a10';
let root: string;
let files: JobFolders;

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'sharedcloud-jobs-')), 'jobs');
  files = new JobFolders(root);
});

afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

function input(runtime: string, args: JobInput['args'], code: JobInput['code'] = 'code'): JobInput {
  const registryPath = 'sharedcloud/python36:latest';
  return { fn: { uuid: 'f', name: 'mine', runtime, imageUuid: 'i', registryPath }, code, args };
}

async function nonceOf(folder: string): Promise<string | undefined> {
  return /"nonce":"(\w{32})"/.exec(await readFile(join(folder, 'job.json'), 'utf8'))?.[1];
}

describe('a layout', () => {
  test('is a folder that all users can read and none can write', async () => {
    const { inputDir, env } = await files.layOut(JOB, input('python36', '(1,)', 'def handler(event): pass'));
    expect(inputDir).toBe(join(root, JOB));
    expect(await readFile(join(inputDir, 'sharedcloud_function.py'), 'utf8')).toBe(
      'def handler(event): pass',
    );
    expect(await readFile(join(inputDir, 'event.txt'), 'utf8')).toBe('(1,)');
    const names = await readdir(inputDir);
    const modes = await Promise.all(
      ['.', ...names].map(async (name) => (await stat(join(inputDir, name))).mode & 0o777),
    );
    expect(modes).toEqual([0o555, 0o444, 0o444, 0o444]);
    expect((await stat(root)).mode & 0o077).toBe(0);
    expect(env).toMatchObject({ SHAREDCLOUD_INPUT: '/sharedcloud', PYTHONDONTWRITEBYTECODE: '1' });
    expect(env).not.toHaveProperty('PYTHONUNBUFFERED');
  });

  test.each(['python27', 'python36', 'python3.12', 'node8', 'nodejs'])(
    'of %s has a loader that fits into an environment variable',
    async (runtime) => {
      const { env } = await files.layOut(JOB, input(runtime, '()'));
      expect(env['CODE']).toContain(runtime.startsWith('python') ? 'import ast' : "load('vm')");
      expect(Buffer.byteLength(env['CODE'] ?? '')).toBeLessThan(32 * 1024);
    },
  );

  test('of Python 2 has unbuffered output', async () => {
    expect((await files.layOut(JOB, input('python27', '()'))).env).toMatchObject({ PYTHONUNBUFFERED: '1' });
  });

  test('that is repeated keeps its nonce and has the new code', async () => {
    const { inputDir } = await files.layOut(JOB, input('node8', '(1,)', 'old'));
    const nonce = await nonceOf(inputDir);
    await files.layOut(JOB, input('python36', '(2,)', 'new'));
    expect(nonce).toMatch(/^[0-9a-f]{32}$/);
    expect(await nonceOf(inputDir)).toBe(nonce);
    expect(await readdir(inputDir)).toEqual(['event.txt', 'job.json', 'sharedcloud_function.py']);
    expect(await readFile(join(inputDir, 'sharedcloud_function.py'), 'utf8')).toBe('new');
  });

  test('has a nonce of its own for each job', async () => {
    const one = await files.layOut('one', input('node8', '()'));
    const two = await files.layOut('two', input('node8', '()'));
    expect(await nonceOf(one.inputDir)).not.toBe(await nonceOf(two.inputDir));
  });

  test('replaces a draft that a crash has left', async () => {
    await mkdir(join(root, `${JOB}.new`), { recursive: true });
    await writeFile(join(root, `${JOB}.new`, 'rubbish'), 'x');
    const { inputDir } = await files.layOut(JOB, input('node8', '()'));
    expect(await readdir(inputDir)).toEqual(['event.json', 'job.json', 'sharedcloud_function.js']);
    expect(await readdir(root)).toEqual([JOB]);
  });

  test.each([
    ['ruby2', '()', '‘ruby2’'],
    ['', '()', '‘’'],
    ['node8', '(1, os)', 'line 1, column 5'],
  ])('is FUNCTION_INVALID for %j with the arguments %j', async (runtime, args, detail) => {
    const layout = files.layOut(JOB, input(runtime, args));
    await expect(layout).rejects.toMatchObject({ code: 'FUNCTION_INVALID' });
    await expect(layout).rejects.toThrow(detail);
    expect(await files.list()).toEqual([]);
  });

  test.each(['', '.', '..', '../x', 'a/b', '/etc', 'a\0', '.hidden', 'a'.repeat(200), 'é', 'x.new', '-rf'])(
    'is BROKER_BAD_ANSWER for the job %j, as is every call',
    async (job) => {
      const refused = { code: 'BROKER_BAD_ANSWER' };
      await expect(files.layOut(job, input('node8', '()'))).rejects.toMatchObject(refused);
      await expect(files.output(job)).rejects.toMatchObject(refused);
      await expect(files.remove(job)).rejects.toMatchObject(refused);
    },
  );

  test('is STATE_DIR_UNUSABLE if the folder cannot be created', async () => {
    await writeFile(root, 'a file');
    const refused = { code: 'STATE_DIR_UNUSABLE' };
    await expect(files.layOut(JOB, input('node8', '()'))).rejects.toMatchObject(refused);
    await expect(files.list()).rejects.toMatchObject(refused);
  });
});

describe('the output', () => {
  test('is read with the job’s nonce, also after a restart', async () => {
    const { inputDir } = await files.layOut(JOB, input('node8', '()'));
    const output = await new JobFolders(root).output(JOB);
    output.write('stdout', Buffer.from(`a\x1e${await nonceOf(inputDir)}:end:0\x1e\n`));
    expect(output.end()).toEqual({ stdout: 'a', stderr: '', result: '' });
  });

  test('cannot be read without the files', async () => {
    await expect(files.output(JOB)).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  });
});

describe('remove', () => {
  test('removes everything and may be repeated', async () => {
    await files.layOut(JOB, input('node8', '()'));
    await mkdir(join(root, `${JOB}.new`));
    await files.remove(JOB);
    await files.remove(JOB);
    expect(await readdir(root)).toEqual([]);
  });

  test('keeps other jobs', async () => {
    await files.layOut('one', input('node8', '()'));
    await files.layOut('two', input('node8', '()'));
    await files.remove('one');
    expect(await files.list()).toEqual(['two']);
  });
});

describe('a test write', () => {
  test('creates the folder, leaves no file and adds no job', async () => {
    await files.tryWriting();
    expect(await readdir(root)).toEqual([]);
    expect(await files.list()).toEqual([]);
  });

  test('is STATE_DIR_UNUSABLE if nothing can be written', async () => {
    await writeFile(root, 'a file in the place of the folder');
    await expect(files.tryWriting()).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  });
});

describe('list', () => {
  test('is empty without layouts', async () => {
    expect(await files.list()).toEqual([]);
  });

  test('has every job once, with drafts', async () => {
    await files.layOut('one', input('node8', '()'));
    for (const name of ['one.new', 'two.new', 'lost+found']) await mkdir(join(root, name));
    expect([...(await files.list())].sort()).toEqual(['one', 'two']);
  });
});
