import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import { createError, engineError, startError } from '../../../../../src/runtime/docker/engine/errors.ts';

/** An answer as dockerode throws it. */
function answered(status: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${status}) server error - ${message} `), {
    statusCode: status,
    json: { message },
  });
}

const RUNC = 'failed to create shim task: OCI runtime create failed: runc create failed: ';
const START = `${RUNC}unable to start container process: `;

describe('a failed start', () => {
  test.each([
    [`${START}exec: "nosuch": executable file not found in $PATH: unknown`, 'CONTAINER_UNSTARTABLE'],
    [`${START}exec: "/x": permission denied: unknown`, 'CONTAINER_UNSTARTABLE'],
    [`${START}exec: "/x": is a directory: unknown`, 'CONTAINER_UNSTARTABLE'],
    [
      `${START}chdir to cwd ("/root/x") set in config.json failed: permission denied`,
      'CONTAINER_UNSTARTABLE',
    ],
    ['starting sandbox: error finding executable "x" in PATH', 'CONTAINER_UNSTARTABLE'],
    [
      `${START}error during container init: error mounting "tmpfs" to rootfs at "/data": mount tmpfs:/data, data: mode=1777: not a directory`,
      'CONTAINER_UNSTARTABLE',
    ],
    [
      `${START}error during container init: error mounting "/var/lib/docker/containers/1/hosts" to rootfs at "/etc/hosts": open o_path procfd: open /var/lib/docker/overlay2/1/merged/etc/hosts: not a directory`,
      'CONTAINER_UNSTARTABLE',
    ],
    [
      `${START}error during container init: error mounting "/x" to rootfs at "/input": open /m/input: too many levels of symbolic links`,
      'CONTAINER_UNSTARTABLE',
    ],
    [
      `${START}error during container init: filesystem "proc" must be mounted on ordinary directory`,
      'CONTAINER_UNSTARTABLE',
    ],
    [
      `${START}error during container init: error mounting "/x" to rootfs at "/input": no such device`,
      'RUNTIME_FAILED',
    ],
    // The image's command imitates a fault of the host.
    [`${START}exec: "nvidia hook cgroup": executable file not found in $PATH`, 'CONTAINER_UNSTARTABLE'],
    [
      `${START}exec: "/sbin/docker-init": stat /sbin/docker-init: no such file or directory`,
      'RUNTIME_FAILED',
    ],
    ['failed to create shim: exec: "runsc": executable file not found in $PATH', 'RUNTIME_FAILED'],
    [
      `${RUNC}error running hook #0: exit status 1, nvidia-container-cli: initialization error`,
      'RUNTIME_FAILED',
    ],
    [`${START}error during container init: error setting cgroup config for procHooks`, 'RUNTIME_FAILED'],
    ['could not select device driver "nvidia" with capabilities: [[gpu]]', 'RUNTIME_FAILED'],
    ['write /var/lib/docker/x: no space left on device', 'RUNTIME_FAILED'],
    ['error creating overlay mount to /m/merged: input/output error', 'IMAGE_STORE_CORRUPT'],
    ['error creating overlay mount to /m/merged: no such file or directory', 'IMAGE_STORE_CORRUPT'],
    ['failed to mount /tmp/containerd-mount1: no space left on device', 'IMAGE_STORE_FULL'],
    // The image names a path like a fault of the store.
    [`${START}error mounting "tmpfs" to rootfs at "/layer does not exist": no`, 'RUNTIME_FAILED'],
  ])('with %j is %s', (message, code) => {
    expect(startError(answered(500, message), 'abc').code).toBe(code);
  });

  test('of a removed container is CONTAINER_GONE', () => {
    expect(startError(answered(404, 'No such container: abc'), 'abc').code).toBe('CONTAINER_GONE');
    const leaving = 'container is marked for removal and cannot be started';
    expect(startError(answered(409, leaving), 'abc').code).toBe('CONTAINER_GONE');
  });

  test.each([
    'failed to start shim: start failed: : fork/exec /usr/bin/containerd-shim-runc-v2: permission denied: unknown',
    'failed to start shim: failed to resolve runtime path: runtime "io.containerd.runc.v2" binary not installed "containerd-shim-runc-v2": file does not exist: unknown',
  ])('without a usable shim has another hint than a restart: %s', (message) => {
    const broken = startError(answered(500, 'ttrpc: closed'), 'abc');
    const { code, hint } = startError(answered(500, message), 'abc');
    expect(code).toBe('RUNTIME_FAILED');
    expect(hint).toEqual(expect.any(String));
    expect(hint).not.toBe(broken.hint);
  });

  test('of a user that userns-remap has no id for names the file with the ids', () => {
    const message = `${START}unable to setup user: cannot set uid to unmapped user in user namespace: unknown`;
    expect(startError(answered(500, message), 'abc').hint).toContain('/etc/subuid');
  });

  test('of a limit beyond Docker’s own has a hint of its own', () => {
    const rlimit = (type: number) =>
      `${START}error during container init: error setting rlimit type ${type}: no`;
    const hints = [7, 8].map((type) => startError(answered(500, rlimit(type)), 'abc').hint);
    expect(hints[0]).toContain('LimitNOFILE');
    expect(hints[1]).toContain('default-ulimits');
    const message = rlimit(7);
    const general = startError(answered(500, 'anything else'), 'abc').hint;
    expect(startError(answered(500, message), 'abc').hint).not.toBe(general);
  });
});

test.each([
  [404, 'No such image: x', 'IMAGE_NOT_FOUND'],
  [409, 'Conflict. The container name is already in use', 'CONTAINER_NAME_TAKEN'],
  [400, 'No command specified', 'CONTAINER_UNSTARTABLE'],
  [500, 'Cannot mkdir: /x is not a directory', 'CONTAINER_UNSTARTABLE'],
  [500, 'Unknown runtime specified nosuch', 'RUNTIME_FAILED'],
])('a failed creation with %i %j is %s', (status, message, code) => {
  expect(createError(answered(status, message), 'sharedcloud-job-1', 'x').code).toBe(code);
});

test.each([502, 503, 504])(
  'a status of %d, which a proxy without its engine gives, is RUNTIME_UNAVAILABLE',
  (status) => {
    expect(engineError(answered(status, ''), 'list containers').code).toBe('RUNTIME_UNAVAILABLE');
    expect(startError(answered(status, ''), 'abc').code).toBe('RUNTIME_UNAVAILABLE');
  },
);

test.each(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'HPE_INVALID_CONSTANT'])(
  'the socket error %s is RUNTIME_UNAVAILABLE with a hint',
  (code) => {
    const error = engineError(Object.assign(new Error(`connect ${code} /x`), { code }), 'list containers');
    expect(error).toMatchObject({ code: 'RUNTIME_UNAVAILABLE', hint: expect.any(String) as unknown });
  },
);

test('keeps an AgentError as it is', () => {
  const error = new AgentError('IMAGE_REFUSED', 'no');
  expect([engineError(error, 'x'), createError(error, 'n', 'i'), startError(error, 'i')]).toEqual(
    Array.from({ length: 3 }, () => error),
  );
});

test('keeps the text of a thrown value that is not an Error', () => {
  expect(engineError('odd', 'list containers').message).toContain('odd');
});

test.each([
  ['CERT_HAS_EXPIRED', 'certificate has expired', 'renew'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match', '--docker-host'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'ca.pem'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required', 'cert.pem'],
  ['EPROTO', 'write EPROTO 40:error:0A00010B:SSL routines::wrong version number', '--docker-tls-verify'],
  ['EPROTO', 'write EPROTO 40:error:0A000418:SSL routines::tlsv1 alert unknown ca', 'cert.pem'],
])('the TLS error %s (%s) has the hint %s', (code, message, hint) => {
  const error = engineError(Object.assign(new Error(message), { code }), 'list containers');
  expect(error).toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    hint: expect.stringContaining(hint) as unknown,
  });
});
