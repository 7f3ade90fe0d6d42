/** A problem with a server's certificate: what follows the server's name in a message, and a hint. */
type TlsProblem = { readonly what: string; readonly hint: string };

const UNTRUSTED =
  'if the broker has a private certificate authority, or a proxy or firewall intercepts TLS, install its CA certificate on this host (update-ca-certificates) or name its file in SSL_CERT_FILE';
const CLOCK = 'check this host’s clock; if it is right, contact the broker’s operator';

const PROBLEMS: Readonly<Record<string, TlsProblem>> = {
  CERT_HAS_EXPIRED: { what: ': its certificate has expired', hint: CLOCK },
  CERT_NOT_YET_VALID: { what: ': its certificate is not valid yet', hint: CLOCK },
  DEPTH_ZERO_SELF_SIGNED_CERT: { what: ': its certificate is self-signed', hint: UNTRUSTED },
  SELF_SIGNED_CERT_IN_CHAIN: {
    what: ': its certificate is from an authority that this host does not trust',
    hint: UNTRUSTED,
  },
  UNABLE_TO_GET_ISSUER_CERT: { what: ': its certificate’s issuer is unknown', hint: UNTRUSTED },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { what: ': its certificate’s issuer is unknown', hint: UNTRUSTED },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    what: ': its certificate cannot be verified',
    hint: `${UNTRUSTED}; or the server sends an incomplete chain`,
  },
  CERT_UNTRUSTED: { what: ': its certificate is not trusted', hint: UNTRUSTED },
  CERT_REVOKED: { what: ': its certificate is revoked', hint: 'contact the broker’s operator' },
  CERT_SIGNATURE_FAILURE: { what: ': its certificate has a wrong signature', hint: UNTRUSTED },
  INVALID_CA: { what: ': its certificate’s issuer is not a certificate authority', hint: UNTRUSTED },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: ': its certificate is for another host',
    hint: 'check the host name in the broker’s URL; a login page or a firewall may answer instead of the broker',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    what: ' does not speak TLS',
    hint: 'check the broker’s URL: it may have to begin with http:// instead of https://',
  },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    what: ' does not speak TLS',
    hint: 'check the broker’s URL: it may have to begin with http:// instead of https://',
  },
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: {
    what: ' speaks no version of TLS that this host accepts',
    hint: 'contact the broker’s operator, or look for an old firewall that intercepts TLS',
  },
  ERR_SSL_UNSUPPORTED_PROTOCOL: {
    what: ' speaks no version of TLS that this host accepts',
    hint: 'contact the broker’s operator, or look for an old firewall that intercepts TLS',
  },
};

/** The problem that OpenSSL's or Node.js's code names; undefined for any other code. */
export function tlsProblem(code: string): TlsProblem | undefined {
  return PROBLEMS[code];
}
