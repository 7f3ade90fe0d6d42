import { describe, expect, test } from 'vitest';
import { AgentError, type ErrorCode } from '../../../../../src/domain/errors.ts';
import { pullError, pullRefusal } from '../../../../../src/runtime/docker/image/pull-error.ts';

const REF = 'localhost:5000/team/x:latest';
const HEAD = 'unexpected status from HEAD request to http://localhost:5000/v2/team/x/manifests/latest: ';
const TOKEN =
  'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to http://localhost:5000/token?scope=repository%3Ateam%2Fx%3Apull&service=registry: ';
const RESOLVE = `failed to resolve reference "${REF}": `;
const DIGEST = `sha256:${'1'.repeat(64)}`;
const HUB_LIMIT =
  'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit';

/** An answer as dockerode throws it. */
function answered(status: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${status}) server error - ${message} `), {
    statusCode: status,
    json: { message },
  });
}

/** The texts of Docker 20.10, 28 with overlay2 (o) and 28 with the containerd store (c), as the engines gave them. */
const TEXTS: readonly (readonly [ErrorCode, string, number?])[] = [
  // 20.10 and o
  ['REGISTRY_DENIED', 'Head "http://localhost:5000/v2/team/x/manifests/latest": no basic auth credentials'],
  ['REGISTRY_DENIED', 'unauthorized'],
  ['REGISTRY_DENIED', 'Head "http://x/v2/": unauthorized: incorrect username or password'],
  ['REGISTRY_DENIED', 'denied'],
  ['REGISTRY_DENIED', 'Head "http://x/v2/": denied: no'],
  [
    'REGISTRY_DENIED',
    `pull access denied for localhost:5000/team/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    404,
  ],
  [
    'REGISTRY_DENIED',
    `error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: "<html>Forbidden</html>"`,
  ],
  ['REGISTRY_DENIED', 'error pulling image configuration: download failed after attempts=6: unauthorized'],
  ['REGISTRY_RATE_LIMITED', HUB_LIMIT],
  ['REGISTRY_RATE_LIMITED', 'Head "http://x/v2/": toomanyrequests: slow', 429],
  [
    'REGISTRY_RATE_LIMITED',
    `error parsing HTTP 429 response body: invalid character 's' looking for beginning of value: "slow"`,
  ],
  [
    'REGISTRY_RATE_LIMITED',
    'error pulling image configuration: download failed after attempts=1: toomanyrequests: Rate exceeded',
  ],
  ['REGISTRY_UNAVAILABLE', 'received unexpected HTTP status: 500 Internal Server Error'],
  ['REGISTRY_UNAVAILABLE', 'Head "http://x/v2/": received unexpected HTTP status: 503 Service Unavailable'],
  ['IMAGE_NOT_FOUND', 'name unknown'],
  ['IMAGE_NOT_FOUND', 'manifest unknown'],
  ['IMAGE_NOT_FOUND', `manifest for ${REF} not found: manifest unknown: manifest unknown`, 404],
  [
    'IMAGE_NOT_FOUND',
    `error parsing HTTP 404 response body: invalid character '<' looking for beginning of value: "<html>404</html>"`,
  ],
  ['IMAGE_NOT_FOUND', 'error pulling image configuration: download failed after attempts=1: unknown blob'],
  ['IMAGE_PLATFORM', 'no matching manifest for linux/amd64 in the manifest list entries'],
  ['IMAGE_PLATFORM', 'image operating system "windows" cannot be used on this platform'],
  ['IMAGE_PLATFORM', 'operating system is not supported'],
  ['IMAGE_UNSUPPORTED', 'unsupported media type application/vnd.cncf.helm.config.v1+json'],
  ['IMAGE_UNSUPPORTED', 'missing signature key'],
  ['IMAGE_UNSUPPORTED', "error unmarshalling content: invalid character '<' looking for beginning of value"],
  [
    'IMAGE_UNSUPPORTED',
    '[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled by default',
  ],
  ['IMAGE_UNSUPPORTED', 'failed to register layer: max depth exceeded'],
  [
    'IMAGE_UNSUPPORTED',
    'failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header',
  ],
  ['IMAGE_CORRUPT', `filesystem layer verification failed for digest ${DIGEST}`],
  ['REGISTRY_UNREACHABLE', 'Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'],
  [
    'REGISTRY_UNREACHABLE',
    'Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host',
  ],
  ['REGISTRY_UNREACHABLE', 'Head "http://localhost:5000/v2/team/x/manifests/latest": EOF'],
  [
    'REGISTRY_UNREACHABLE',
    'Get "https://x/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
  ],
  ['REGISTRY_UNREACHABLE', 'Get "https://x/v2/": context deadline exceeded'],
  ['REGISTRY_UNREACHABLE', 'Get "https://x/v2/": x509: certificate signed by unknown authority'],
  [
    'REGISTRY_UNREACHABLE',
    'Get "https://x/v2/": tls: failed to verify certificate: x509: certificate has expired',
  ],
  ['REGISTRY_UNREACHABLE', 'Get "https://x/v2/": http: server gave HTTP response to HTTPS client'],
  ['REGISTRY_UNREACHABLE', 'Get "https://x/v2/": Proxy Authentication Required'],
  [
    'REGISTRY_UNREACHABLE',
    'Get "https://x/v2/": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused',
  ],
  ['REGISTRY_UNREACHABLE', 'Head "/v2/team/x/manifests/latest": stopped after 10 redirects'],
  // c
  [
    'REGISTRY_DENIED',
    `${RESOLVE}pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
  ],
  [
    'REGISTRY_DENIED',
    `${RESOLVE}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    404,
  ],
  ['REGISTRY_DENIED', `unknown: ${RESOLVE}${HEAD}401 Unauthorized`],
  ['REGISTRY_DENIED', `unknown: ${RESOLVE}${HEAD}403 Forbidden`],
  ['REGISTRY_DENIED', `unknown: ${RESOLVE}${TOKEN}401 Unauthorized`],
  ['REGISTRY_DENIED', 'authentication required - incorrect username or password', 401],
  ['REGISTRY_DENIED', 'error from registry: no', 403],
  ['REGISTRY_DENIED', 'error from registry: unauthorized\nunauthorized'],
  ['REGISTRY_RATE_LIMITED', `unknown: ${RESOLVE}${HEAD}429 Too Many Requests`],
  ['REGISTRY_RATE_LIMITED', `unknown: ${RESOLVE}${TOKEN}429 Too Many Requests`],
  ['REGISTRY_RATE_LIMITED', 'error from registry: Rate exceeded'],
  ['REGISTRY_RATE_LIMITED', 'error from registry: retry-after: 41.5s, allowed: 44000/minute'],
  ['REGISTRY_UNAVAILABLE', `unknown: ${RESOLVE}${HEAD}500 Internal Server Error`],
  ['REGISTRY_UNAVAILABLE', `unknown: ${RESOLVE}${HEAD}502 Bad Gateway`],
  ['REGISTRY_UNAVAILABLE', `unknown: ${RESOLVE}${TOKEN}500 Internal Server Error`],
  ['IMAGE_NOT_FOUND', `${RESOLVE}${REF}: not found`, 404],
  [
    'IMAGE_NOT_FOUND',
    `failed to copy: httpReadSeeker: failed open: could not fetch content descriptor ${DIGEST} (application/json) from remote: not found`,
  ],
  [
    'IMAGE_PLATFORM',
    'no matching manifest for linux/amd64 in the manifest list entries: no match for platform in manifest: not found',
    404,
  ],
  [
    'IMAGE_UNSUPPORTED',
    `failed to unpack image on snapshotter overlayfs: unexpected media type text/html for ${DIGEST}: not found`,
  ],
  [
    'IMAGE_UNSUPPORTED',
    'not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image',
    501,
  ],
  ['IMAGE_UNSUPPORTED', `children: invalid desc ${DIGEST}: unexpected end of JSON input`],
  [
    'IMAGE_CORRUPT',
    `failed commit on ref "layer-${DIGEST}": commit failed: unexpected commit digest ${DIGEST}, expected ${DIGEST}: failed precondition`,
  ],
  ['REGISTRY_UNREACHABLE', 'short read: expected 2097928 bytes but got 1048964: unexpected EOF'],
  [
    'REGISTRY_UNREACHABLE',
    `${RESOLVE}failed to do request: Head "https://localhost:1/v2/a/b/manifests/latest": dial tcp [::1]:1: connect: connection refused`,
  ],
  // The store of images on this host
  ['IMAGE_STORE_FULL', 'write /var/lib/docker/tmp/GetImageBlob1: no space left on device'],
  [
    'IMAGE_STORE_FULL',
    'failed to register layer: Error processing tar file(exit status 1): write /bin/x: no space left on device',
  ],
  ['IMAGE_STORE_FULL', 'mkdir /var/lib/docker/overlay2/x: disk quota exceeded'],
  ['IMAGE_STORE_CORRUPT', `failed to extract layer ${DIGEST}: content digest ${DIGEST}: not found`],
  ['IMAGE_STORE_CORRUPT', `content digest ${DIGEST}: not found`],
  [
    'IMAGE_STORE_CORRUPT',
    'failed to register layer: rename /var/lib/docker/image/overlay2/layerdb/tmp/write-set-1: file exists',
  ],
  ['IMAGE_STORE_CORRUPT', 'layer does not exist'],
  [
    'IMAGE_STORE_CORRUPT',
    `failed to lease content: rpc error: code = NotFound desc = blob ${DIGEST} expected at /var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/1: blob not found`,
  ],
  [
    'IMAGE_STORE_CORRUPT',
    `failed to prepare extraction snapshot "extract-1 ${DIGEST}": failed to create prepare snapshot dir: failed to create temp dir: stat /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots: no such file or directory`,
  ],
  [
    'IMAGE_STORE_CORRUPT',
    'failed to register layer: symlink ../0f45/diff /var/lib/docker/overlay2/l/G25P: no such file or directory',
  ],
  [
    'IMAGE_STORE_CORRUPT',
    'failed to register layer: stat /var/lib/docker/overlay2/abc: no such file or directory',
  ],
  [
    'IMAGE_STORE_CORRUPT',
    `failed to prepare extraction snapshot "extract-1 ${DIGEST}": parent snapshot ${DIGEST} does not exist: not found`,
  ],
  ['IMAGE_STORE_CORRUPT', 'open /var/lib/docker/image/overlay2/repositories.json: read-only file system'],
  ['IMAGE_STORE_CORRUPT', 'read /var/lib/docker/overlay2/x/diff: input/output error'],
  ['IMAGE_STORE_CORRUPT', 'stat /mnt/big/docker/overlay2/abc: no such file or directory'],
  ['IMAGE_PULL_FAILED', 'something that nobody has seen'],
];

describe('a failed pull', () => {
  const texts = TEXTS.map(([code, message, status = 500]) => ({ code, message, status }));

  test.each(texts)('is $code: $message', ({ code, message, status }) => {
    expect(pullError(answered(status, message), REF).code).toBe(code);
    // The same text may come at the end of a pull that had begun, without a status.
    if (status === 500) expect(pullRefusal(REF, message).code).toBe(code);
  });

  test.each(['denied/x', 'toomanyrequests/no-space-left-on-device', 'not-found/x509'])(
    'does not depend on the name of the image: %s',
    (repository) => {
      const url = `Head "https://r.example/v2/${repository}/manifests/1": EOF`;
      expect(pullRefusal(`r.example/${repository}:1`, url).code).toBe('REGISTRY_UNREACHABLE');
      const plain = `something about r.example/${repository}`;
      expect(pullRefusal(`r.example/${repository}:1`, plain).code).toBe('IMAGE_PULL_FAILED');
    },
  );

  test.each([
    ['r.example/denied/x:1', 'repository denied/x: EOF', 'REGISTRY_UNREACHABLE'],
    ['r.example/denied:1', 'failed to resolve reference "denied:1": EOF', 'REGISTRY_UNREACHABLE'],
    ['denied:1', 'failed to resolve reference "docker.io/library/denied:1": EOF', 'REGISTRY_UNREACHABLE'],
    ['denied', 'repository library/denied: EOF', 'REGISTRY_UNREACHABLE'],
    ['toomanyrequests:1', 'docker.io/library/toomanyrequests:1: EOF', 'REGISTRY_UNREACHABLE'],
    ['x/toomanyrequests', 'something about toomanyrequests', 'IMAGE_PULL_FAILED'],
    // The engine's own words stay.
    ['denied:1', 'pull access denied for denied, repository does not exist', 'REGISTRY_DENIED'],
    ['r.example/e:1', 'denied', 'REGISTRY_DENIED'],
    ['toomanyrequests:1', 'toomanyrequests: slow', 'REGISTRY_RATE_LIMITED'],
  ])('of %s that says ‘%s’ is %s', (ref, message, code) => {
    expect(pullRefusal(ref, message).code).toBe(code);
  });

  test('takes no wait from the name of the image', () => {
    const ref = 'r.example/x/retry-after';
    expect(pullRefusal(ref, `toomanyrequests: ${ref} 30s`).retryAfterMs).toBeUndefined();
  });

  test('has a hint of its own for TLS, for plain HTTP, for DNS and for a proxy', () => {
    const hints = [
      'x509: bad',
      'server gave HTTP response to HTTPS client',
      'no such host',
      'proxyconnect',
    ].map((message) => pullRefusal(REF, message).hint);
    expect(new Set(hints).size).toBe(4);
    expect(hints).not.toContain(undefined);
  });

  test.each([
    ['toomanyrequests: retry-after: 560.613µs, allowed: 44000/minute', 1],
    ['toomanyrequests: retry-after: 2m30.5s, allowed: 1/minute', 150_500],
    ['toomanyrequests: Retry after 30 seconds', 30_000],
    ['toomanyrequests: retry-after: 120', 120_000],
    ['toomanyrequests: retry-after: 9999999h', 86_400_000],
    [HUB_LIMIT, undefined],
    ['toomanyrequests: retry after a while', undefined],
  ])('is tried again after the wait that the registry names: %s', (message, waitMs) => {
    expect(pullRefusal(REF, message).retryAfterMs).toBe(waitMs);
  });

  test('says what the registry says, escaped and cut', () => {
    const { message } = pullRefusal(REF, `\u001B[31m${'x'.repeat(100_000)}`);
    expect(message.length).toBeLessThan(700);
    expect(message).not.toContain('\u001B');
  });

  test('of an engine that does not answer is RUNTIME_UNAVAILABLE', () => {
    const thrown = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(pullError(thrown, REF).code).toBe('RUNTIME_UNAVAILABLE');
  });

  test('that a proxy of Docker’s socket forbids is no denial of the registry', () => {
    const thrown = Object.assign(
      new Error('(HTTP code 403) unexpected - <html><body>403 Forbidden</body></html>'),
      {
        statusCode: 403,
      },
    );
    expect(pullError(thrown, REF).code).toBe('RUNTIME_FAILED');
  });

  test('keeps an AgentError as it is', () => {
    const error = new AgentError('IMAGE_REFUSED', 'no');
    expect(pullError(error, REF)).toBe(error);
  });
});
