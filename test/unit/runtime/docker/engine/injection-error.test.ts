import { describe, expect, test } from 'vitest';
import { startError } from '../../../../../src/runtime/docker/engine/errors.ts';
import { injectionError } from '../../../../../src/runtime/docker/engine/injection-error.ts';
import { facts } from '../../../../support/engine/facts.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';
const RUNC = 'failed to create shim task: OCI runtime create failed: runc create failed: ';
const START = `${RUNC}unable to start container process: `;
const HOOK = `${START}error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: `;

const answered = (message: string, status = 500): unknown => ({ statusCode: status, json: { message } });
const failed = (message: string, injection: 'cdi' | 'device-requests' | 'runtime', changes: object = {}) =>
  injectionError(answered(message), {
    gpu: GPU,
    injection,
    facts: facts({ Runtimes: { runc: {} }, ...changes }, { ApiVersion: '1.50' }),
  });
const unresolvable = `CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=${GPU}`;
const listing = {
  CDISpecDirs: ['/etc/cdi'],
  DiscoveredDevices: [{ ID: 'nvidia.com/gpu=all' }, { ID: 'nvidia.com/gpu=0' }],
};

describe('a container that cannot get its GPU', () => {
  test.each([
    ['cdi', unresolvable, /nvidia-ctk cdi generate/],
    ['cdi', `could not select device driver "cdi" with capabilities: []`, /features/],
    ['cdi', `failed to inject CDI devices: ${unresolvable}`, /nvidia-ctk cdi generate/],
    ['cdi', 'failed to inject devices: failed to stat CDI host device "/dev/nvidia1": no such file', /older/],
    [
      'cdi',
      `${START}error during container init: error mounting "/usr/lib/x86_64-linux-gnu/libcuda.so.550.1" to rootfs at "/x": no such file`,
      /older/,
    ],
    [
      'cdi',
      `${RUNC}error running createContainer hook #1: exec: "nvidia-ctk": executable file not found`,
      /./,
    ],
    [
      'device-requests',
      'could not select device driver "" with capabilities: [[gpu compute utility]]',
      /toolkit/,
    ],
    ['device-requests', 'could not select device driver "nvidia" with capabilities: [[gpu]]', /toolkit/],
    [
      'device-requests',
      `${HOOK}Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: nvml error: driver/library version mismatch`,
      /reboot/,
    ],
    ['device-requests', `${HOOK}nvidia-container-cli: device error: ${GPU}: unknown device`, /nvidia-smi -L/],
    [
      'device-requests',
      `${HOOK}nvidia-container-cli: mount error: failed to add device rules: bpf_prog_query`,
      /./,
    ],
    ['device-requests', `${RUNC}error running hook #0: fork/exec /usr/bin/x-hook: exec format error`, /./],
    [
      'device-requests',
      `error gathering device information while adding custom device "/dev/nvidia0": no such file`,
      /reboot/,
    ],
    ['runtime', 'unknown or invalid runtime name: nvidia', /nvidia-ctk runtime configure/],
    ['runtime', 'Unknown runtime specified nvidia', /nvidia-ctk runtime configure/],
    [
      'runtime',
      'failed to create shim task: exec: "nvidia-container-runtime": executable file not found in $PATH',
      /toolkit/,
    ],
    ['runtime', `${HOOK}exec: nvidia-container-runtime-hook: not found`, /toolkit/],
    [
      'device-requests',
      'starting container: nvproxy: NVIDIA driver version 999.1 is not supported',
      /runsc nvproxy/,
    ],
  ] as const)('by %s, with %j, is reported with a hint', (injection, message, hint) => {
    const error = failed(message, injection);
    expect(error?.code).toBe('GPU_INJECTION_FAILED');
    expect(error?.hint).toMatch(hint);
  });

  test('has a hint that names the devices of a spec without the GPU', () => {
    const hint = failed(unresolvable, 'cdi', listing)?.hint;
    for (const part of [
      GPU,
      'nvidia.com/gpu=all, 0',
      'nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
    ])
      expect(hint).toContain(part);
  });

  test('has a hint of its own if the runtime is there and its hook is not', () => {
    const message = 'could not select device driver "" with capabilities: [[gpu]]';
    const hint = failed(message, 'device-requests', { Runtimes: { runc: {}, nvidia: {} } })?.hint;
    expect(hint).toContain('nvidia-container-runtime-hook');
    expect(hint).not.toBe(failed(message, 'device-requests')?.hint);
  });

  test('is reported in the engine’s words, escaped, on one line and shortened', () => {
    const message = failed(`${HOOK}nvidia-container-cli: \u001B[2J\n${'x'.repeat(5000)}`, 'runtime')?.message;
    expect(message).toContain('nvidia-container-cli');
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message?.length).toBeLessThan(1000);
  });
});

describe('a container that fails for another reason', () => {
  test.each([
    'write /var/lib/docker/x: no space left on device',
    `${START}error during container init: error setting rlimit type 7: not permitted`,
    // The image's command imitates a fault of the host.
    `${START}exec: "nvidia-container-cli: initialization error": executable file not found in $PATH`,
    `${START}exec: "error running hook": exec format error`,
  ])('is no matter of its GPU: %j', (message) => {
    expect(failed(message, 'device-requests')).toBeUndefined();
  });

  test('without an answer of the engine is no matter of its GPU', () => {
    const thrown = Object.assign(new Error('connect ENOENT nvidia-container-cli'), { code: 'ENOENT' });
    const injected = { gpu: GPU, injection: 'cdi', facts: facts() } as const;
    expect(injectionError(thrown, injected)).toBeUndefined();
  });

  test.each([
    [
      'nvidia-container-cli: mount error: file creation failed: /x/libcuda.so.1: file exists',
      'CONTAINER_UNSTARTABLE',
    ],
    ['nvidia-container-cli: requirement error: unsatisfied condition: cuda>=13.0', 'IMAGE_REFUSED'],
  ])('fails for its image: %j', (words, code) => {
    expect(failed(`${HOOK}${words}`, 'device-requests')).toBeUndefined();
    expect(startError(answered(`${HOOK}${words}`), 'abc').code).toBe(code);
  });
});
