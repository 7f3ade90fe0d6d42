import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A directory with `ca.pem`, `cert.pem` and `key.pem` that OpenSSL made. */
export type Certificates = AsyncDisposable & { readonly directory: string };

/** An authority that signs certificates for an engine at 127.0.0.1 and its clients. */
export async function openssl(): Promise<Certificates & { sign(): Promise<Certificates> }> {
  const ca = await mkdtemp(join(tmpdir(), 'ca-'));
  const dispose = (directory: string) => () => rm(directory, { recursive: true });
  const at = (name: string): string => join(ca, name);
  const command = (line: string): Promise<unknown> => run('openssl', line.split(' '));
  const key = '-newkey rsa:2048 -nodes';
  await command(
    `req -x509 ${key} -days 2 -subj /CN=authority -keyout ${at('ca-key.pem')} -out ${at('ca.pem')}`,
  );
  return {
    directory: ca,
    [Symbol.asyncDispose]: dispose(ca),
    sign: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'certificate-'));
      const to = (name: string): string => join(directory, name);
      await writeFile(
        to('ext'),
        'subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth, clientAuth\n',
      );
      await command(`req ${key} -subj /CN=test -keyout ${to('key.pem')} -out ${to('request')}`);
      const by = `-CA ${at('ca.pem')} -CAkey ${at('ca-key.pem')} -CAcreateserial`;
      await command(
        `x509 -req ${by} -days 2 -extfile ${to('ext')} -in ${to('request')} -out ${to('cert.pem')}`,
      );
      await run('cp', [at('ca.pem'), to('ca.pem')]);
      return { directory, [Symbol.asyncDispose]: dispose(directory) };
    },
  };
}
