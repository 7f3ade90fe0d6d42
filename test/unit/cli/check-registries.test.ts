import { chmod, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkRegistries } from '../../../src/cli/check/check-registries.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { inspectCredentials } from '../../../src/runtime/docker/registry/inspection.ts';

const SECRET = 'top-secret-password';
const login = { auth: Buffer.from(`me:${SECRET}`).toString('base64') };

/** The result for a `config.json` of this content and mode; undefined: there is none. */
async function checked(config: unknown, mode = 0o600) {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'docker-config-'));
  const file = join(directory.path, 'config.json');
  if (config !== undefined)
    await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  if (config !== undefined) await chmod(file, mode);
  await writeFile(join(directory.path, 'docker-credential-here'), '', { mode: 0o755 });
  try {
    return checkRegistries({
      value: await inspectCredentials(directory.path, `/none:${directory.path}`),
      ms: 1,
    });
  } catch (thrown) {
    if (thrown instanceof AgentError) return checkRegistries({ error: thrown });
    throw thrown;
  }
}

test('names the registries that there are credentials for, and no secret', async () => {
  const { found, level } = await checked({
    auths: { 'https://index.docker.io/v1/': login, 'ghcr.io': login },
    credHelpers: { 'gcr.io': 'here' },
    credsStore: 'here',
  });
  expect(level).toBe('ok');
  for (const name of ['docker.io', 'ghcr.io', 'gcr.io', 'docker-credential-here'])
    expect(found).toContain(name);
  expect(found).not.toContain(SECRET);
  expect(found).not.toContain(login.auth);
});

test.each<[string, unknown, number?]>([
  ['that every user can read', { auths: { 'ghcr.io': login } }, 0o644],
  ['with a program that is not installed', { credHelpers: { 'gcr.io': 'nowhere' } }],
  ['with an entry that cannot be used', { auths: { 'ghcr.io': { auth: '?' }, 'gcr.io': login } }],
  ['that is no JSON', `{"auths": "${login.auth}`],
])('warns of a file %s', async (_, config, mode) => {
  const result = await checked(config, mode);
  const hint: unknown = expect.any(String);
  expect(result).toMatchObject({ level: 'warn', hint });
  expect(JSON.stringify(result)).not.toContain(SECRET);
  expect(JSON.stringify(result)).not.toContain(login.auth);
});

test.each([
  ['a file that a group can read', { auths: { 'ghcr.io': login } }, 0o640],
  ['a file without credentials', { currentContext: 'default' }, 0o600],
  ['no file', undefined, 0],
])('accepts %s', async (_, config, mode) => {
  expect((await checked(config, mode)).level).toBe('ok');
});

test('accepts a user without a home directory', async () => {
  expect(checkRegistries({ value: await inspectCredentials(undefined, '/bin'), ms: 1 }).level).toBe('ok');
});
