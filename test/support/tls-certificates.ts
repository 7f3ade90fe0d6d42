import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a TLS server needs, in PEM. */
export type ServerCertificate = { readonly key: string; readonly cert: string };

/** A certificate authority of a test's own, made by openssl. */
export class CertificateAuthority implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'ca-'));
  /** The file of its own certificate. */
  readonly file = join(this.directory, 'ca.pem');

  constructor(name = 'A Private CA') {
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      this.#at('ca.key'),
      '-out',
      this.file,
      '-subj',
      `/CN=${name}`,
    );
  }

  get pem(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** A certificate for `names`, such as `IP:127.0.0.1`; expired with `days` below 0. */
  issue(names: string, days = 2): ServerCertificate {
    const key = this.#at('server.key');
    const request = this.#at('server.csr');
    const cert = this.#at('server.pem');
    const extensions = this.#at('server.ext');
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', '/CN=server');
    openssl(
      'x509',
      '-req',
      '-CAcreateserial',
      `-CA=${this.file}`,
      `-CAkey=${this.#at('ca.key')}`,
      `-in=${request}`,
      `-days=${days}`,
      `-extfile=${extensions}`,
      `-out=${cert}`,
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }

  #at(name: string): string {
    return join(this.directory, name);
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...argv: readonly string[]): void {
  execFileSync('openssl', argv, { stdio: 'pipe' });
}
