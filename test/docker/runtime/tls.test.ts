import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EndpointSettings, engineEndpoint } from '../../../src/runtime/docker/engine/endpoint.ts';
import { type Certificates, openssl } from '../../support/engine/certificates.ts';
import { BUSYBOX, describeOwnEngine } from '../../support/engine/docker.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';
import { httpServer } from '../../support/faults/server.ts';
import type { TcpProxy } from '../../support/faults/tcp-proxy.ts';

const unset = { value: undefined, source: { kind: 'unset', name: 'not set' } } as const;

describeOwnEngine('an engine that listens with --tlsverify', () => {
  let engine: PrivateEngine;
  let port: TcpProxy;
  let authority: Awaited<ReturnType<typeof openssl>>;
  let client: Certificates;
  let directory: string;
  const clean: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    authority = await openssl();
    client = await authority.sign();
    const server = await authority.sign();
    engine = await PrivateEngine.open();
    const certificate = (name: string): string => join(server.directory, name);
    await engine.start({
      liveRestore: false,
      hosts: ['tcp://127.0.0.1:2376'],
      config: {
        tlsverify: true,
        tlscacert: certificate('ca.pem'),
        tlscert: certificate('cert.pem'),
        tlskey: certificate('key.pem'),
      },
    });
    port = await engine.openPort(2376);
    directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
    await testRuntime(engine.host).runtime.images.prepare(BUSYBOX, AbortSignal.timeout(60_000));
    for (const one of [port, engine, server, client, authority])
      clean.push(() => Promise.resolve(one[Symbol.asyncDispose]()));
    clean.push(() => rm(directory, { recursive: true }));
  });
  afterAll(async () => {
    for (const one of clean) await one();
  });

  /** A runtime at the engine's TLS port, as these settings name it. */
  const runtimeAt = (changes: Partial<EndpointSettings>) => {
    const value = port.url.replace('http:', 'tcp:');
    const { host, tls } = engineEndpoint({
      host: { value, source: { kind: 'env', name: 'DOCKER_HOST' } },
      context: unset,
      configDirectory: directory,
      tlsVerify: true,
      certPath: client.directory,
      ...changes,
    });
    return testRuntime(host, { tls });
  };
  const probe = (changes: Partial<EndpointSettings>) =>
    rejection(runtimeAt(changes).runtime.probe(AbortSignal.timeout(20_000)));

  test('runs a job for a client with its certificates', async () => {
    const at = runtimeAt({});
    await using job = await TestJob.create(engine, at, 'echo done');
    expect((await job.run()).stdout.toString()).toBe('done\n');
  });

  test('is reached through the current Docker context, with that context’s certificates', async () => {
    const id = createHash('sha256').update('lab').digest('hex');
    const meta = join(directory, 'contexts', 'meta', id);
    await mkdir(meta, { recursive: true });
    const Host = port.url.replace('http:', 'tcp:');
    await writeFile(
      join(meta, 'meta.json'),
      JSON.stringify({ Name: 'lab', Endpoints: { docker: { Host } } }),
    );
    await cp(client.directory, join(directory, 'contexts', 'tls', id, 'docker'), { recursive: true });
    await writeFile(join(directory, 'config.json'), JSON.stringify({ currentContext: 'lab' }));
    const settings = {
      host: { value: 'unix:///var/run/docker.sock', source: { kind: 'default', name: 'default' } },
      certPath: undefined,
      tlsVerify: false,
    } as const;
    const described = await runtimeAt(settings).runtime.probe(AbortSignal.timeout(20_000));
    expect(described).toContain('Docker');
  });

  test('is named as one that expects TLS', async () => {
    const error = await probe({ tlsVerify: false, certPath: undefined });
    expect(error.code).toBe('RUNTIME_UNAVAILABLE');
    expect(error.hint).toContain('--docker-tls-verify');
  });

  test('has a hint for each other mistake with certificates', async () => {
    await using stranger = await openssl();
    await using unknown = await stranger.sign();
    await using onlyCa = await openssl();
    await cp(join(client.directory, 'ca.pem'), join(onlyCa.directory, 'ca.pem'));
    await using plain = await httpServer((_, response) => response.end());
    const plainHost = { value: plain.dockerHost, source: { kind: 'env', name: 'DOCKER_HOST' } } as const;
    const errors = [
      await probe({ certPath: unknown.directory }),
      await probe({ certPath: onlyCa.directory }),
      await probe({ host: plainHost }),
    ];
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'RUNTIME_UNAVAILABLE'));
    const [wrongCa, noClient, noTls] = errors.map(({ hint }) => hint);
    expect(wrongCa).toContain('ca.pem');
    expect(noClient).toContain('cert.pem');
    expect(noTls).toContain('unset --docker-tls-verify');
  });
});
