import { X509Certificate } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { escapeControls } from '../lib/escape.ts';

/** The variables of OpenSSL that name the system's certificate authorities; undefined: its usual places. */
export type CaSettings = {
  readonly sslCertFile: string | undefined;
  readonly sslCertDir: string | undefined;
  readonly nodeExtraCaCerts: string | undefined;
};

/** The trusted certificate authorities. */
export type TrustedCas = {
  readonly secureContext: SecureContext;
  /** Where they are from, with how many certificates each place added. */
  readonly sources: readonly CaSource[];
  /** What the owner named and cannot be used. */
  readonly problems: readonly CaProblem[];
};
export type CaSource = { readonly from: string; readonly count: number };
export type CaProblem = { readonly what: string; readonly hint: string };

/** The system's bundles on Debian, Fedora, SUSE and Alpine; the first that exists is taken. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const DIRECTORY = '/etc/ssl/certs';
/** A larger file is no certificate store. The largest known has 0.5 MB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const PEM =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Node.js's own certificate authorities, those of NODE_EXTRA_CA_CERTS, and the system's: its bundle and directory, or what
 * SSL_CERT_FILE and SSL_CERT_DIR name instead. Never throws: what cannot be used is a problem, and the others are trusted.
 */
export function loadTrustedCas(settings: CaSettings): TrustedCas {
  const trusted = new Set<string>();
  const sources: CaSource[] = [];
  const problems: CaProblem[] = [];
  const add = (from: string, certificates: readonly string[]): void => {
    const before = trusted.size;
    // Trimmed because the same certificate is in several places.
    for (const certificate of certificates) trusted.add(certificate.trim());
    if (certificates.length > 0) sources.push({ from, count: trusted.size - before });
  };
  const addNamed = (setting: string, path: string, read: (path: string) => readonly string[]): void => {
    const shown = escapeControls(path.slice(0, 200));
    try {
      const found = read(path).filter(isCertificate);
      add(`${setting} ${shown}`, found);
      if (found.length === 0) problems.push(problem(setting, `${shown} has no certificate in PEM format`));
    } catch (cause) {
      problems.push(problem(setting, `${shown} cannot be read: ${reasonOf(cause)}`));
    }
  };
  // Node.js has already read NODE_EXTRA_CA_CERTS, and with its option --use-system-ca the system's too.
  add('Node.js', getCACertificates('default'));
  const { nodeExtraCaCerts, sslCertDir, sslCertFile } = settings;
  if (nodeExtraCaCerts !== undefined) addNamed('NODE_EXTRA_CA_CERTS', nodeExtraCaCerts, readCertificates);
  if (sslCertFile !== undefined) addNamed('SSL_CERT_FILE', sslCertFile, readCertificates);
  else addBundle(add);
  if (sslCertDir === undefined)
    add(
      DIRECTORY,
      orNone(() => readDirectory(DIRECTORY)),
    );
  else
    for (const path of sslCertDir.split(':').filter(Boolean)) addNamed('SSL_CERT_DIR', path, readDirectory);
  return { secureContext: createSecureContext({ ca: [...trusted] }), sources, problems };
}

type Add = (from: string, certificates: readonly string[]) => void;

function addBundle(add: Add): void {
  const bundle = BUNDLES.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (bundle !== undefined)
    add(
      bundle,
      orNone(() => readCertificates(bundle)),
    );
}

function problem(setting: string, what: string): CaProblem {
  return {
    what: `${setting}: ${what}`,
    hint: `correct ${setting}, or make what it names readable for the agent’s user; the other certificate authorities are used`,
  };
}

function readDirectory(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() || (entry.isSymbolicLink() && !isAlias(join(directory, entry.name))))
    .flatMap(({ name }) => orNone(() => readCertificates(join(directory, name))));
}

/** Whether a link leads to a file of its own directory, as OpenSSL's links by hash do. */
function isAlias(path: string): boolean {
  return !readlinkSync(path).includes('/');
}

/** Throws what the system reports, and for anything but a file of a plausible size. */
function readCertificates(path: string): readonly string[] {
  // Never waits for a pipe's writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > MAX_FILE_BYTES) throw new Error('it is too large for certificates');
    return readFileSync(file, 'latin1').match(PEM) ?? [];
  } finally {
    closeSync(file);
  }
}

/** What `read` finds; none if it throws. For places that the owner has not named. */
function orNone(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause ? String(cause.code) : cause.message;
}
