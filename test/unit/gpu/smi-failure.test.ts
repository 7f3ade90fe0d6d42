import { describe, expect, test } from 'vitest';
import { smiFailure } from '../../../src/gpu/smi-failure.ts';

const OTHER_HINT = smiFailure({ code: 99, stdout: '', stderr: '' }, 'nvidia-smi').hint;
const MISMATCH = 'Failed to initialize NVML: Driver/library version mismatch';
const LOST = 'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.';
const HANDLE = 'Unable to determine the device handle for GPU0000:02:00.0: Unknown Error\n';
const NOT_LOADED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";

describe('the failure of nvidia-smi', () => {
  test.each([
    [2, 'Field "x" is not a valid field to query.'],
    [4, 'Insufficient Permissions'],
    [8, ''],
    [9, NOT_LOADED],
    [12, ''],
    [18, MISMATCH],
    [126, ''],
    [127, ''],
    [255, MISMATCH],
    [255, LOST],
    [255, NOT_LOADED],
  ])('with exit code %i and %j has a hint of its own, from either output', (code, text) => {
    for (const [stdout, stderr] of [[text, ''] as const, ['', text] as const]) {
      const failure = smiFailure({ code, stdout, stderr }, 'nvidia-smi');
      expect(failure).toMatchObject({ code: 'GPU_PROBE_FAILED', hint: expect.any(String) as unknown });
      expect(failure.hint).not.toBe(OTHER_HINT);
      expect(failure.message).toContain(`exit code ${code}`);
    }
  });

  test.each([
    [6, 'No devices were found'],
    [0, 'No devices were found\n'],
  ])('with exit code %i and %j is GPU_NONE', (code, stdout) => {
    expect(smiFailure({ code, stdout, stderr: '' }, 'nvidia-smi').code).toBe('GPU_NONE');
  });

  test('with an unknown exit code quotes the first line of its output', () => {
    const failure = smiFailure({ code: 99, stdout: 'what?\nmore', stderr: '' }, 'nvidia-smi');
    expect(failure.message).toMatch(/exit code 99\): what\?$/);
  });

  test('is one sentence where the program itself is the reason', () => {
    expect(smiFailure({ code: 127, stdout: '', stderr: '' }, 'nvidia-smi').message).toBe(
      'nvidia-smi is not installed (exit code 127)',
    );
  });

  test('by a signal names the signal', () => {
    const failure = smiFailure({ code: 'SIGSEGV', stdout: '', stderr: '' }, 'nvidia-smi');
    expect(failure).toMatchObject({
      code: 'GPU_PROBE_FAILED',
      message: expect.stringContaining('SIGSEGV') as unknown,
    });
  });

  test.each(['127: not found', '1: exec: nvidia-smi: not found', 'line 9: nvidia-smi: not found'])(
    'does not quote the shell’s own message “%s”',
    (line) => {
      const failure = smiFailure({ code: 127, stdout: '', stderr: `nvidia-smi: ${line}` }, 'nvidia-smi');
      expect(failure.message).toMatch(/\(exit code 127\)$/);
    },
  );

  test('escapes control characters of the output', () => {
    const failure = smiFailure({ code: 255, stdout: '\u001b[31mred', stderr: '' }, 'nvidia-smi');
    expect(failure.message).toContain('\\u{1b}[31mred');
  });

  test.each([
    [6, `${HANDLE}No devices were found\n`, 'GPU_PROBE_FAILED', HANDLE.trim()],
    [255, `No devices were found\n${HANDLE}`, 'GPU_PROBE_FAILED', HANDLE.trim()],
    [0, `${HANDLE}No devices were found\n`, 'GPU_PROBE_FAILED', HANDLE.trim()],
    [15, 'some chatter\nGPU is lost\n', 'GPU_PROBE_FAILED', 'GPU is lost'],
    [0, 'hello\n', 'GPU_PROBE_FAILED', 'hello'],
    [6, '', 'GPU_NONE', 'finds no GPU'],
    [0, '\n', 'GPU_NONE', 'finds no GPU'],
  ])('with exit code %i and %j quotes the first line that says why', (code, stdout, error, text) => {
    const failure = smiFailure({ code, stdout, stderr: '' }, 'nvidia-smi');
    expect(failure.code).toBe(error);
    expect(failure.message).toContain(text);
  });

  test.each([
    [255, 'Failed to initialize NVML: Unknown Error', /container.*CDI.*daemon-reload/],
    [4, 'Failed to initialize NVML: Insufficient Permissions', /CDI/],
    [17, 'Failed to initialize NVML: GPU access blocked by the operating system', /WSL2/],
    [18, MISMATCH, /reboot/],
    [12, "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.", /libnvidia-ml/],
  ])('of NVML with exit code %i and %j says how access comes back', (code, stdout, hint) => {
    expect(smiFailure({ code, stdout, stderr: '' }, 'nvidia-smi').hint).toMatch(hint);
  });

  test.each([
    [127, '', 'wsl2'],
    [9, NOT_LOADED, 'wsl2'],
    [6, 'No devices were found', 'wsl2'],
    [17, 'Failed to initialize NVML: GPU access blocked by the operating system', 'wsl2'],
    [127, '', 'wsl1'],
    [127, '', 'jetson'],
  ] as const)(
    'with exit code %i and %j on %s never hints at a driver for Linux',
    (code, stdout, platform) => {
      const { hint = '' } = smiFailure({ code, stdout, stderr: '' }, 'nvidia-smi', platform);
      expect(hint).toMatch(
        { wsl2: /on Windows, never inside WSL/, wsl1: /WSL1/, jetson: /Jetson/ }[platform],
      );
      expect(hint).not.toMatch(/install the Nvidia driver|modprobe/);
    },
  );
});
