const SOCKET_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'install and start Docker, or correct --docker-host',
  ECONNREFUSED: 'start Docker, or correct --docker-host',
  EACCES: 'add this user to the group docker and log in again',
  EPERM: 'add this user to the group docker and log in again',
  ENOTFOUND: 'correct the host name in --docker-host',
  CERT_HAS_EXPIRED: 'renew the engine’s certificate, or correct the clock of this host',
  CERT_NOT_YET_VALID: 'correct the clock of this host or of the engine’s',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name the engine in --docker-host as its certificate does',
};

const UNTRUSTED =
  'put the certificate that signed the engine’s into ca.pem in --docker-cert-path (with a Docker context: docker context update)';
const NO_TLS =
  'the engine does not speak TLS there: correct the port in --docker-host, or unset --docker-tls-verify';
const CLIENT_REFUSED =
  'put a client certificate that the engine accepts and its key into --docker-cert-path, as cert.pem and key.pem; see dockerd’s --tlscacert';

/** By Node.js's code and its message, which for EPROTO has OpenSSL's reason. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /^HPE_/,
    'set --docker-host to Docker’s own socket: what listens there does not speak HTTP, as containerd’s socket does not',
  ],
  [/^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_SIGNATURE|CERT_UNTRUSTED)/, UNTRUSTED],
  [/^(?:EPROTO|ERR_SSL_).*(?:wrong.version.number|packet.length|http.request)/i, NO_TLS],
  [/^(?:EPROTO|ERR_SSL_).*alert.*(?:certificate|unknown.ca|access.denied|decrypt.error)/i, CLIENT_REFUSED],
];

/** The hint for a connection to an engine that failed with this code and message; undefined for an unknown one. Pure. */
export function connectionHint(code: string, message: string): string | undefined {
  const text = `${code} ${message}`;
  return SOCKET_HINTS[code] ?? PATTERNS.find(([pattern]) => pattern.test(text))?.[1];
}

/** Whether the answer says that the engine expects TLS; its server sends it as plain text, with status 400. */
export function expectsTls(message: string): boolean {
  return message.includes('HTTP request to an HTTPS server');
}

/** For an engine that expects TLS. */
export const USE_TLS =
  'set --docker-tls-verify, and --docker-cert-path to the directory with ca.pem, cert.pem and key.pem; or use a Docker context that has them';
