import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import type { ProgramResult } from '../lib/process.ts';

type Reason = { readonly why: string; readonly hint: string };

const REBOOT =
  'reboot; if it comes back, see the kernel’s log (journalctl -k | grep Xid) and the card’s seat and power';

/** What people write on the screen goes before the exit code: 255 may be anything. Errors may stand on stdout. */
const BY_WORDS: readonly (readonly [RegExp, Reason])[] = [
  [
    /driver\/library version mismatch/i,
    {
      why: 'the driver was updated and the old one still runs',
      hint: 'reboot, or reload the nvidia modules',
    },
  ],
  [
    /couldn't communicate with the nvidia driver|driver is not loaded/i,
    { why: 'the Nvidia driver is not loaded', hint: 'install it, or load it: sudo modprobe nvidia' },
  ],
  [/gpu is lost|fallen off the bus/i, { why: 'a GPU is lost', hint: REBOOT }],
  [
    /gpu requires reset/i,
    {
      why: 'a GPU needs a reset',
      hint: 'sudo nvidia-smi --gpu-reset -i INDEX while nothing uses it, or reboot',
    },
  ],
];

/** By exit code, as nvidia-smi's manual tells them; 126 and 127 are the shell's. */
const BY_CODE: Readonly<Record<number, Reason>> = {
  2: {
    why: 'it does not know an argument',
    hint: 'is --nvidia-smi an Nvidia nvidia-smi, of a driver from 2017 or later?',
  },
  4: {
    why: 'it lacks a permission',
    hint: 'let the agent’s user read /dev/nvidia* (groups video or render)',
  },
  8: { why: 'a GPU’s power cables are not attached', hint: 'attach them, with the computer off' },
  9: { why: 'the Nvidia driver is not loaded', hint: 'install it, or load it: sudo modprobe nvidia' },
  10: { why: 'the driver has an interrupt problem with a GPU', hint: REBOOT },
  12: {
    why: 'the NVML library is missing',
    hint: 'install the driver’s libraries (libnvidia-ml.so.1), and give them to the container if this is one',
  },
  13: { why: 'the driver’s NVML is too old for it', hint: 'install driver and nvidia-smi of one version' },
  14: {
    why: 'a GPU’s infoROM is damaged',
    hint: 'the card needs its maker’s help; until then it may still work',
  },
  15: { why: 'a GPU is lost', hint: REBOOT },
  18: { why: 'driver and library are of different versions', hint: 'reboot, or reload the nvidia modules' },
  126: {
    why: 'it cannot be executed',
    hint: 'is --nvidia-smi a program of this machine’s kind, and may the agent’s user run it?',
  },
  127: { why: 'it is not there', hint: 'install the Nvidia driver, or name its nvidia-smi by --nvidia-smi' },
};

const OTHER: Reason = { why: 'it failed', hint: 'run it by hand to see more' };

/**
 * The error for an answer that cannot be used, undefined for one that may be: exit code 0, and 14 and 15, where
 * nvidia-smi complains of one GPU and may still show the others.
 */
export function smiFailure(answer: ProgramResult, program: string): AgentError | undefined {
  const { code, stderr, stdout } = answer;
  if (/^\s*no devices were found/im.test(`${stdout}\n${stderr}`) || code === 6) {
    return new AgentError('GPU_NONE', `${escapeControls(program)} finds no GPU`, {
      hint: 'is the card seated, powered and, in a container or virtual machine, handed in?',
    });
  }
  return code === 0 || code === 14 || code === 15 ? undefined : smiTrouble(answer, program);
}

/** The error that says what an answer complains of. */
export function smiTrouble({ code, stderr, stdout }: ProgramResult, program: string): AgentError {
  const said = `${stderr}\n${stdout}`.trim();
  const words = BY_WORDS.find(([pattern]) => pattern.test(said))?.[1];
  const { hint, why } = words ?? (typeof code === 'number' ? BY_CODE[code] : undefined) ?? OTHER;
  const [first = ''] = said.split('\n');
  // `NAME: 1: exec: ...` is our shell's way to say what the exit code has said already.
  const shells = (code === 126 || code === 127) && /^: (?:line )?\d+: /.test(first.slice(program.length));
  const line = shells ? '' : escapeControls(first.trim().slice(0, 300));
  const quoted = line === '' ? '' : `: ${line}`;
  const how = typeof code === 'number' ? `exit code ${code}` : `ended by ${code ?? 'nobody knows what'}`;
  return new AgentError('GPU_PROBE_FAILED', `${escapeControls(program)}: ${why} (${how})${quoted}`, { hint });
}
