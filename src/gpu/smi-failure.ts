import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import type { ProgramResult } from '../lib/process.ts';

type Reason = { readonly why: string; readonly hint: string };

const LOAD_DRIVER: Reason = {
  why: 'the Nvidia driver is not loaded',
  hint: 'install it, or load it: sudo modprobe nvidia',
};
const REBOOT =
  'reboot; if it recurs, see the kernel’s log (journalctl -k | grep Xid), and the card’s seat and power';
const GPU_LOST: Reason = { why: 'a GPU is lost', hint: REBOOT };

/** Reasons by message. They take precedence, because exit code 255 may mean anything. */
const BY_MESSAGE: readonly (readonly [RegExp, Reason])[] = [
  [
    /driver\/library version mismatch/i,
    {
      why: 'the driver was updated and the old one is still loaded',
      hint: 'reboot, or reload the nvidia modules',
    },
  ],
  [/couldn't communicate with the nvidia driver|driver is not loaded/i, LOAD_DRIVER],
  [/gpu is lost|fallen off the bus/i, GPU_LOST],
  [
    /gpu requires reset/i,
    {
      why: 'a GPU needs a reset',
      hint: 'run sudo nvidia-smi --gpu-reset -i INDEX while nothing uses the GPU, or reboot',
    },
  ],
];

/** Reasons by exit code, from nvidia-smi's manual. 126 and 127 are the shell's. */
const BY_CODE: Readonly<Record<number, Reason>> = {
  2: {
    why: 'it does not know an argument',
    hint: 'set --nvidia-smi to Nvidia’s own program, from a driver of 2017 or later',
  },
  4: {
    why: 'it lacks a permission',
    hint: 'let the agent’s user read /dev/nvidia* (group video or render)',
  },
  8: { why: 'a GPU’s power cables are not attached', hint: 'shut down and attach the power cables' },
  9: LOAD_DRIVER,
  10: { why: 'the driver has an interrupt problem with a GPU', hint: REBOOT },
  12: {
    why: 'the NVML library is missing',
    hint: 'install the driver’s libraries (libnvidia-ml.so.1); in a container, pass them in',
  },
  13: { why: 'the driver’s NVML is too old', hint: 'install driver and nvidia-smi of the same version' },
  14: { why: 'a GPU’s infoROM is corrupted', hint: 'ask the card’s maker; it may work until then' },
  15: GPU_LOST,
  18: { why: 'driver and library have different versions', hint: 'reboot, or reload the nvidia modules' },
  126: {
    why: 'it cannot be executed',
    hint: 'set --nvidia-smi to a program for this CPU that the agent’s user may execute',
  },
  127: { why: 'it is not installed', hint: 'install the Nvidia driver, or set --nvidia-smi' },
};

const UNKNOWN: Reason = { why: 'it failed', hint: 'run it by hand to see why' };

/**
 * The error for a result without usable output; undefined for exit code 0, and for 14 and 15, with which nvidia-smi warns
 * of one GPU and may show the others.
 */
export function smiFailure(result: ProgramResult, program: string): AgentError | undefined {
  const { code, stderr, stdout } = result;
  if (/^\s*no devices were found/im.test(`${stdout}\n${stderr}`) || code === 6) {
    return new AgentError('GPU_NONE', `${escapeControls(program)} finds no GPU`, {
      hint: 'check the card’s seat and power; in a container or virtual machine, pass the GPU in',
    });
  }
  return code === 0 || code === 14 || code === 15 ? undefined : smiError(result, program);
}

/** GPU_PROBE_FAILED with the reason that nvidia-smi gives, on either output. */
export function smiError({ code, stderr, stdout }: ProgramResult, program: string): AgentError {
  const output = `${stderr}\n${stdout}`.trim();
  const byMessage = BY_MESSAGE.find(([pattern]) => pattern.test(output))?.[1];
  const { hint, why } = byMessage ?? (typeof code === 'number' ? BY_CODE[code] : undefined) ?? UNKNOWN;
  const [first = ''] = output.split('\n');
  // `NAME: 1: exec: ...` is the shell's own message and repeats the exit code.
  const isShells = (code === 126 || code === 127) && /^: (?:line )?\d+: /.test(first.slice(program.length));
  const line = isShells ? '' : escapeControls(first.trim().slice(0, 300));
  const quoted = line === '' ? '' : `: ${line}`;
  const how = typeof code === 'number' ? `exit code ${code}` : `ended by ${code ?? 'a signal'}`;
  const said = why.startsWith('it ') ? why.slice('it'.length) : `: ${why}`;
  return new AgentError('GPU_PROBE_FAILED', `${escapeControls(program)}${said} (${how})${quoted}`, { hint });
}
