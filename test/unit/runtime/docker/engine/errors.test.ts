import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import {
  createError,
  engineError,
  pullError,
  pullRefusal,
  startError,
} from '../../../../../src/runtime/docker/engine/errors.ts';

/** As the engine's client throws an answer. */
function answered(status: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${status}) server error - ${message} `), {
    statusCode: status,
    json: { message },
  });
}

const RUNC = 'failed to create shim task: OCI runtime create failed: runc create failed: ';
const START = `${RUNC}unable to start container process: `;

describe('a start that failed', () => {
  test.each([
    [`${START}exec: "nosuch": executable file not found in $PATH: unknown`, 'CONTAINER_UNSTARTABLE'],
    [`${START}exec: "/x": permission denied: unknown`, 'CONTAINER_UNSTARTABLE'],
    [`${START}exec: "/x": is a directory: unknown`, 'CONTAINER_UNSTARTABLE'],
    [
      `${START}chdir to cwd ("/root/x") set in config.json failed: permission denied`,
      'CONTAINER_UNSTARTABLE',
    ],
    ['starting sandbox: error finding executable "x" in PATH', 'CONTAINER_UNSTARTABLE'],
    // An image that names its command so as to look like the host's fault.
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
  ])('with %j is %s', (message, code) => {
    expect(startError(answered(500, message), 'abc').code).toBe(code);
  });

  test('because it is gone says so, and names it', () => {
    const error = startError(answered(404, 'No such container: abc'), 'abc');
    expect([error.code, error.message]).toEqual([
      'CONTAINER_GONE',
      'could not start container abc: No such container: abc',
    ]);
  });

  test.each([
    ['could not select device driver "nvidia" with capabilities: [[gpu]]', 'Nvidia container toolkit'],
    [`${START}error during container init: error setting rlimit type 7: not permitted`, 'LimitNOFILE'],
  ])('with %j has a hint', (message, hint) => {
    expect(startError(answered(500, message), 'abc').hint).toContain(hint);
  });
});

test.each([
  [404, 'No such image: x', 'IMAGE_NOT_FOUND'],
  [409, 'Conflict. The container name is already in use', 'RUNTIME_FAILED'],
  [400, 'No command specified', 'CONTAINER_UNSTARTABLE'],
  [500, 'Cannot mkdir: /x is not a directory', 'CONTAINER_UNSTARTABLE'],
  [500, 'Unknown runtime specified nosuch', 'RUNTIME_FAILED'],
])('a creation answered with %i %j is %s', (status, message, code) => {
  expect(createError(answered(status, message), 'sharedcloud-job-1', 'x').code).toBe(code);
});

test.each([502, 503, 504])('an answer of %d is that of a proxy whose engine is away', (status) => {
  expect(engineError(answered(status, ''), 'list containers').code).toBe('RUNTIME_UNAVAILABLE');
  expect(startError(answered(status, ''), 'abc').code).toBe('RUNTIME_UNAVAILABLE');
});

test.each([
  ['ENOENT', 'installed and running'],
  ['ECONNREFUSED', 'running'],
  ['EACCES', 'group docker'],
  ['ECONNRESET', 'journalctl'],
])('a socket’s %s is RUNTIME_UNAVAILABLE with a hint', (code, hint) => {
  const error = engineError(Object.assign(new Error(`connect ${code} /x`), { code }), 'list containers');
  expect(error.code).toBe('RUNTIME_UNAVAILABLE');
  expect(error.hint).toContain(hint);
});

test.each([
  ['manifest for x:y not found: manifest unknown', 'IMAGE_NOT_FOUND'],
  ['pull access denied for x, repository does not exist or may require docker login', 'IMAGE_NOT_FOUND'],
  ['unauthorized: authentication required', 'IMAGE_NOT_FOUND'],
  ['toomanyrequests: You have reached your pull rate limit', 'IMAGE_PULL_FAILED'],
  ['Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', 'IMAGE_PULL_FAILED'],
  ['filesystem layer verification failed for digest sha256:1', 'IMAGE_PULL_FAILED'],
  ['write /var/lib/docker/tmp/x: no space left on device', 'IMAGE_PULL_FAILED'],
])('a pull given up with %j is %s', (words, code) => {
  expect(pullRefusal('x:y', words).code).toBe(code);
  expect(pullError(answered(500, words), 'x:y').code).toBe(code);
});

test('what is an AgentError already stays as it is', () => {
  const error = new AgentError('IMAGE_REFUSED', 'no');
  expect([
    engineError(error, 'x'),
    createError(error, 'n', 'i'),
    startError(error, 'i'),
    pullError(error, 'r'),
  ]).toEqual(Array.from({ length: 4 }, () => error));
});

test('what is no error at all is told as it is', () => {
  expect(engineError('odd', 'list containers').message).toContain('odd');
});
