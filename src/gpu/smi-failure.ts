import { AgentError } from '../domain/errors.ts';
import { JETSON_FAULT, type Platform } from '../domain/platform.ts';
import { escapeControls } from '../lib/escape.ts';
import type { ProgramResult } from '../lib/process.ts';
import {
  BAD_INFOROM,
  GPU_LOST,
  type Meaning,
  MISMATCH,
  meaningOf,
  NO_DRIVER,
  NO_GPU,
  NO_NVML,
  NO_PERMISSION,
  NO_POWER,
  onPlatform,
  REBOOT,
} from './messages.ts';

const NOT_INSTALLED: Meaning = {
  why: 'it is not installed',
  hint: 'install the Nvidia driver, or set --nvidia-smi',
};

/** Meanings by exit code, from nvidia-smi's manual. 126 and 127 are the shell's. */
const BY_CODE: Readonly<Record<number, Meaning>> = {
  2: {
    why: 'it does not know an argument',
    hint: 'set --nvidia-smi to Nvidia’s own program, from a driver of 2017 or later',
  },
  4: NO_PERMISSION,
  6: NO_GPU,
  8: NO_POWER,
  9: NO_DRIVER,
  10: { why: 'the driver has an interrupt problem with a GPU', hint: REBOOT },
  12: NO_NVML,
  13: { why: 'the driver’s NVML is too old', hint: 'install driver and nvidia-smi of the same version' },
  14: BAD_INFOROM,
  15: GPU_LOST,
  18: MISMATCH,
  126: {
    why: 'it cannot be executed',
    hint: 'set --nvidia-smi to a program for this CPU that the agent’s user may execute',
  },
  127: NOT_INSTALLED,
};

const UNKNOWN: Meaning = { why: 'it failed', hint: 'run it by hand to see why' };

const WSL_DRIVER =
  'install Nvidia’s driver on Windows, never inside WSL; then set --nvidia-smi to /usr/lib/wsl/lib/nvidia-smi';

/**
 * The error for a result without any row: the first line that says why counts, on either output, then the exit code.
 * GPU_NONE where nvidia-smi found nothing and says no more, else GPU_PROBE_FAILED.
 */
export function smiFailure(result: ProgramResult, program: string, platform: Platform = 'linux'): AgentError {
  const { code } = result;
  const name = escapeControls(program);
  const lines = `${result.stderr}\n${result.stdout}`.split('\n').filter((line) => line.trim() !== '');
  const found = lines.map((line) => ({ line, meaning: meaningOf(line) }));
  const telling = found.find(({ meaning }) => meaning !== undefined && meaning.vague !== true);
  const vague = found.find(({ meaning }) => meaning?.vague === true);
  const byCode = typeof code === 'number' ? BY_CODE[code] : undefined;
  const meaning = forPlatform(telling?.meaning ?? vague?.meaning ?? byCode ?? UNKNOWN, platform);
  const [first = ''] = lines;
  if (telling === undefined && (vague !== undefined || code === 6 || (code === 0 && lines.length === 0)))
    return new AgentError('GPU_NONE', `${name} finds no GPU`, { hint: meaning.hint });
  if (code === 0 && telling === undefined) return malformed(first);
  // `NAME: 1: exec: ...` is the shell's own message and repeats the exit code.
  const isShells = (code === 126 || code === 127) && /^: (?:line )?\d+: /.test(first.slice(program.length));
  const line = isShells ? '' : quotable(telling?.line ?? first);
  const quoted = line === '' ? '' : `: ${line}`;
  const how = typeof code === 'number' ? `exit code ${code}` : `ended by ${code ?? 'a signal'}`;
  const { hint, why } = meaning;
  const said = why.startsWith('it ') ? why.slice('it'.length) : `: ${why}`;
  return new AgentError('GPU_PROBE_FAILED', `${name}${said} (${how})${quoted}`, { hint });
}

/** What the failure of a probe means where GPUs work differently. */
function forPlatform(meaning: Meaning, platform: Platform): Meaning {
  if (meaning === NOT_INSTALLED) {
    if (platform === 'wsl2') return { ...meaning, hint: WSL_DRIVER };
    if (platform === 'jetson')
      return { ...meaning, hint: `a Jetson’s GPU is not supported; ${JETSON_FAULT.hint}` };
  }
  return onPlatform(meaning === NOT_INSTALLED && platform === 'wsl1' ? NO_DRIVER : meaning, platform);
}

function malformed(line: string): AgentError {
  const message = `the output of nvidia-smi is malformed: it shows no row, but “${quotable(line)}”`;
  return new AgentError('GPU_PROBE_FAILED', message, { hint: 'set --nvidia-smi to Nvidia’s own program' });
}

function quotable(line: string): string {
  return escapeControls(line.trim().slice(0, 300));
}
