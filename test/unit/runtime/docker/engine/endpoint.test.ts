import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EndpointSettings, engineEndpoint } from '../../../../../src/runtime/docker/engine/endpoint.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
  await addContext('lab', { Host: 'tcp://10.0.0.7:2375' });
  await addContext('rooted', { Host: 'unix:///run/other.sock' });
  await addContext('far', { Host: 'ssh://me@far' });
  await addContext('loose', { Host: 'tcp://10.0.0.8:2376', SkipTLSVerify: true }, 0o664);
  await addContext('empty', {});
  await addContext('shared', { Host: 'tcp://10.0.0.9:2375' }, 0o666);
  const config = JSON.stringify({ currentContext: 'lab', auths: {} });
  await writeFile(join(directory, 'config.json'), config, { mode: 0o600 });
});
afterAll(() => rm(directory, { recursive: true }));

async function addContext(name: string, docker: object, mode = 0o644): Promise<void> {
  const folder = join(directory, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  await mkdir(folder, { recursive: true });
  const meta = { Name: name, Metadata: {}, Endpoints: { docker } };
  await writeFile(join(folder, 'meta.json'), JSON.stringify(meta));
  await chmod(join(folder, 'meta.json'), mode);
}

const DEFAULT = 'unix:///var/run/docker.sock';
type Kind = EndpointSettings['host']['source']['kind'];
const host = (kind: Kind, value: string) => ({ value, source: { kind, name: kind } });
const context = (kind: Kind, value: string) => ({ value, source: { kind, name: kind } });
const at = (changes: Partial<EndpointSettings> = {}) =>
  engineEndpoint({
    host: host('default', DEFAULT),
    context: { value: undefined, source: { kind: 'unset', name: 'not set' } },
    configDirectory: directory,
    tlsVerify: false,
    certPath: undefined,
    ...changes,
  });

describe('the engine’s address', () => {
  test('is the default without a Docker configuration, or one without a current context', () => {
    for (const configDirectory of [undefined, join(directory, 'nowhere')])
      expect(at({ configDirectory })).toEqual({ host: DEFAULT, tls: undefined, origin: undefined });
  });

  test('is the default with a Docker configuration that cannot be parsed', async () => {
    const broken = await mkdtemp(join(directory, 'broken-'));
    await writeFile(join(broken, 'config.json'), '{');
    expect(at({ configDirectory: broken }).host).toBe(DEFAULT);
  });

  test('is that of the current context, which is named as its origin', () => {
    const endpoint = at();
    expect(endpoint).toMatchObject({ host: 'tcp://10.0.0.7:2375', tls: undefined });
    expect(endpoint.origin).toContain('"lab"');
    expect(endpoint.origin).toContain(directory);
  });

  test.each([
    ['a host of the environment before the current context', { host: host('env', 'tcp://a') }, 'tcp://a'],
    [
      'a host of the environment before a context of the environment',
      { host: host('env', 'tcp://a'), context: context('env', 'rooted') },
      'tcp://a',
    ],
    [
      'a context of a flag before a host of the environment',
      { host: host('env', 'tcp://a'), context: context('flag', 'rooted') },
      'unix:///run/other.sock',
    ],
    [
      'a host of a flag before a context of the environment',
      { host: host('flag', 'tcp://a'), context: context('env', 'rooted') },
      'tcp://a',
    ],
    [
      'a context of the environment before a host of the file',
      { host: host('file', 'tcp://a'), context: context('env', 'rooted') },
      'unix:///run/other.sock',
    ],
    ['the default for the context of that name', { context: context('flag', 'default') }, DEFAULT],
  ] as const)('is, as for the docker command, %s', (_, changes, expected) => {
    expect(at(changes).host).toBe(expected);
  });

  test.each([
    ['a context that does not exist', { context: context('env', 'nosuch') }, /lab/],
    ['a context that others can change', { context: context('env', 'shared') }, /shared/],
    ['a context without a host', { context: context('env', 'empty') }, /empty/],
    ['two flags', { host: host('flag', 'tcp://a'), context: context('flag', 'lab') }, /--docker-context/],
    ['a context without a home', { context: context('env', 'lab'), configDirectory: undefined }, /home/],
    ['certificates that are not there', { host: host('env', 'tcp://a'), certPath: '/nowhere' }, /nowhere/],
  ] as const)('is refused for %s', (_, changes, message) => {
    expect(() => at(changes)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(message) as unknown,
        hint: expect.any(String) as unknown,
      }),
    );
  });

  test('is reached over TLS if the owner asks for it, on TCP only', () => {
    const tls = { ca: undefined, client: undefined, verify: true };
    expect(at({ host: host('env', 'tcp://a'), tlsVerify: true }).tls).toEqual(tls);
    expect(at({ host: host('env', DEFAULT), tlsVerify: true }).tls).toBeUndefined();
  });

  test('has an unverified certificate only where its context says so', () => {
    expect(at({ context: context('env', 'loose') }).tls).toMatchObject({ verify: false });
  });
});

describe('certificates', () => {
  const certificates = async (files: Readonly<Record<string, string>>) => {
    const certPath = await mkdtemp(join(directory, 'certs-'));
    for (const [name, text] of Object.entries(files))
      await writeFile(join(certPath, name), text, { mode: 0o600 });
    return () => at({ host: host('flag', 'tcp://a'), certPath });
  };

  test.each([
    ['a key without its certificate', { 'key.pem': 'x' }, /cert\.pem/],
    ['a certificate without its key', { 'cert.pem': 'x' }, /key\.pem/],
    ['no PEM', { 'cert.pem': 'x', 'key.pem': 'y' }, /cannot be used/],
  ])('are refused with %s', async (_, files, message) => {
    expect(await certificates(files)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(message) as unknown,
      }),
    );
  });

  test('are refused where others can change them', async () => {
    const certPath = await mkdtemp(join(directory, 'certs-'));
    await writeFile(join(certPath, 'ca.pem'), 'x');
    await chmod(join(certPath, 'ca.pem'), 0o646);
    expect(() => at({ host: host('flag', 'tcp://a'), certPath })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: `chmod o-w ${join(certPath, 'ca.pem')}` }),
    );
  });

  test('are refused, and do not block, where they are a pipe', async () => {
    const certPath = await mkdtemp(join(directory, 'certs-'));
    execFileSync('mkfifo', ['-m', '600', join(certPath, 'ca.pem')]);
    expect(() => at({ host: host('flag', 'tcp://a'), certPath })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.any(String) as unknown }),
    );
  });
});
