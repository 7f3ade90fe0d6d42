import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AgentError } from '../../../../../src/domain/errors.ts';
import { RegistryCredentials } from '../../../../../src/runtime/docker/registry/credentials.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

const soon = (): AbortSignal => AbortSignal.timeout(20_000);
const login = (password: string) => ({ username: 'me', password });

/** Credentials of the directory, with what they report. */
function opened() {
  const problems: AgentError[] = [];
  const secrets: [string, string][] = [];
  const credentials = new RegistryCredentials({
    directory,
    onSecret: (secret, registry) => void secrets.push([secret, registry]),
    onProblem: (problem) => void problems.push(problem),
  });
  return { credentials, problems, secrets };
}

async function write(config: unknown): Promise<void> {
  await writeFile(
    join(directory, 'config.json'),
    typeof config === 'string' ? config : JSON.stringify(config),
  );
}

/** A credential helper on PATH, as a shell script. */
async function helper(name: string, script: string): Promise<void> {
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, `docker-credential-${name}`), 0o755);
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
}

describe('the credentials of a registry', () => {
  test('are there where its entry is, and for no other registry', async () => {
    await write({
      auths: { 'https://index.docker.io/v1/': login('hub-secret'), 'a.example': login('a-secret') },
    });
    const { credentials, problems, secrets } = opened();
    expect(await credentials.forRegistry('a.example', soon())).toMatchObject(login('a-secret'));
    expect(await credentials.forRegistry('docker.io', soon())).toMatchObject({
      serveraddress: 'https://index.docker.io/v1/',
      ...login('hub-secret'),
    });
    for (const other of ['b.example', 'a.example:5000', 'x.a.example', ''])
      expect(await credentials.forRegistry(other, soon())).toBeUndefined();
    expect(problems).toEqual([]);
    expect(secrets).toContainEqual(['a-secret', 'a.example']);
  });

  test('are read again after the file has changed, come or gone', async () => {
    const { credentials, problems } = opened();
    expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    for (const password of ['one', 'three']) {
      await write({ auths: { 'a.example': login(password) } });
      expect((await credentials.forRegistry('a.example', soon()))?.password).toBe(password);
    }
    await rm(join(directory, 'config.json'));
    expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    expect(problems).toEqual([]);
  });

  test.each([
    ['is no JSON', '{"auths": {"a.example": "c2VjcmV0"'],
    ['has other types', '{"auths": "c2VjcmV0"}'],
    ['is too large', `{"c2VjcmV0": "${'x'.repeat(2 * 1024 * 1024)}"}`],
  ])('are not used from a file that %s, which is reported once and without its content', async (_, text) => {
    await write(text);
    const { credentials, problems } = opened();
    for (let n = 0; n < 3; n += 1) expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    const hint: unknown = expect.any(String);
    expect(problems).toMatchObject([{ code: 'REGISTRY_CREDENTIALS_UNUSABLE', hint }]);
    expect(problems[0]?.message).not.toContain('c2VjcmV0');
    await write({ auths: { 'a.example': login('one') } });
    expect((await credentials.forRegistry('a.example', soon()))?.password).toBe('one');
  });

  test.each([0o622, 0o666, 0o602])(
    'are not read from a file of mode %o, which names programs',
    async (mode) => {
      await write({ auths: { 'a.example': login('one') } });
      await chmod(join(directory, 'config.json'), mode);
      const { credentials, problems } = opened();
      expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
      expect(problems).toMatchObject([{ code: 'REGISTRY_CREDENTIALS_UNUSABLE' }]);
      await chmod(join(directory, 'config.json'), 0o660);
      expect((await credentials.forRegistry('a.example', soon()))?.password).toBe('one');
    },
  );

  test('are not read from what is no file', async () => {
    await symlink('/dev/zero', join(directory, 'config.json'));
    const { credentials, problems } = opened();
    expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'REGISTRY_CREDENTIALS_UNUSABLE' }]);
  });
});

describe('a credential helper', () => {
  const ANSWERS = `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"me\\",\\"Secret\\":\\"for $server\\"}"`;

  test('is asked for its registry alone, before the file’s own entry', async () => {
    await helper('one', ANSWERS);
    await write({
      auths: { 'a.example': login('of the file'), 'b.example': login('of the file') },
      credHelpers: { 'a.example': 'one', 'index.docker.io': 'one' },
    });
    const { credentials, secrets } = opened();
    const password = async (registry: string) => (await credentials.forRegistry(registry, soon()))?.password;
    expect(await password('a.example')).toBe('for a.example');
    expect(await password('docker.io')).toBe('for https://index.docker.io/v1/');
    expect(await password('b.example')).toBe('of the file');
    expect(await password('c.example')).toBeUndefined();
    expect(secrets).toContainEqual(['for a.example', 'a.example']);
  });

  test('of all registries is asked where none is named', async () => {
    await helper('all', ANSWERS);
    await write({ credsStore: 'all' });
    const { credentials } = opened();
    expect((await credentials.forRegistry('c.example', soon()))?.password).toBe('for c.example');
  });

  test('gives an identity token under a name of its own', async () => {
    await helper('token', `echo '{"Username":"<token>","Secret":"identity"}'`);
    await write({ credsStore: 'token' });
    const { credentials } = opened();
    expect(await credentials.forRegistry('a.example', soon())).toEqual({
      serveraddress: 'a.example',
      identitytoken: 'identity',
    });
  });

  test('that has none is no problem', async () => {
    await helper('none', `echo 'credentials not found in native keychain'; exit 1`);
    await write({ credsStore: 'none', auths: { 'a.example': login('of the file') } });
    const { credentials, problems } = opened();
    expect((await credentials.forRegistry('a.example', soon()))?.password).toBe('of the file');
    expect(await credentials.forRegistry('b.example', soon())).toBeUndefined();
    expect(problems).toEqual([]);
  });

  test.each([
    ['fails', `echo s3cret-output; echo s3cret-output >&2; exit 3`],
    ['prints something else', `echo '{"Secret": "s3cret-output"'`],
    ['prints without end', `while :; do echo s3cret-output; done`],
    ['has no secret', `echo '{"Username":"me","Secret":""}'`],
  ])('that %s is reported once, without what it printed, and the pull goes on', async (_, script) => {
    await helper('bad', script);
    await write({ credsStore: 'bad' });
    const { credentials, problems } = opened();
    for (let n = 0; n < 2; n += 1) expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'REGISTRY_CREDENTIALS_UNUSABLE' }]);
    expect(JSON.stringify([problems[0]?.message, problems[0]?.hint])).not.toContain('s3cret-output');
  });

  test('that is not installed is reported with its name', async () => {
    await write({ credHelpers: { 'a.example': 'nowhere' } });
    const { credentials, problems } = opened();
    expect(await credentials.forRegistry('a.example', soon())).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'REGISTRY_CREDENTIALS_UNUSABLE' }]);
    expect(problems[0]?.message).toContain('docker-credential-nowhere');
  });

  test('is left to itself by who has given up', async () => {
    await helper('slow', 'sleep 60');
    await write({ credsStore: 'slow' });
    const { credentials, problems } = opened();
    const reason = new Error('enough');
    await expect(credentials.forRegistry('a.example', AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(problems).toEqual([]);
  });
});
