import type { Platform } from '../domain/platform.ts';

/** What a message of nvidia-smi means, and what its owner can do about it. */
export type Meaning = {
  readonly why: string;
  readonly hint: string;
  /** It says only that nothing was found; any other message says more. */
  readonly vague?: true;
};

const KERNEL_LOG = 'see the kernel’s log (journalctl -k | grep -i nvrm)';
export const REBOOT = `reboot; if it recurs, ${KERNEL_LOG}, and the card’s seat and power`;

export const MISMATCH: Meaning = {
  why: 'the driver was updated and the old one is still loaded',
  hint: 'reboot, or reload the nvidia modules; in a container, restart the container',
};
export const NO_DRIVER: Meaning = {
  why: 'the Nvidia driver is not loaded',
  hint: 'install it, or load it: sudo modprobe nvidia',
};
export const GPU_LOST: Meaning = { why: 'a GPU is lost', hint: REBOOT };
export const NO_PERMISSION: Meaning = {
  why: 'it may not use the GPUs',
  hint: 'let the agent’s user read /dev/nvidia* (group video or render); in a container, restart it with the GPUs passed in by CDI (--device nvidia.com/gpu=all)',
};
export const NO_NVML: Meaning = {
  why: 'the NVML library is missing',
  hint: 'install the driver’s libraries (libnvidia-ml.so.1); in a container, pass them in',
};
export const NO_GPU: Meaning = {
  why: 'it finds no GPU',
  hint: 'check the card’s seat and power; in a container or virtual machine, pass the GPU in',
  vague: true,
};
export const BAD_INFOROM: Meaning = {
  why: 'a GPU’s infoROM is corrupted',
  hint: 'ask the card’s maker; it may work until then',
};
export const NO_POWER: Meaning = {
  why: 'a GPU’s power cables are not attached',
  hint: 'shut down and attach the power cables',
};
const NVML_LOST: Meaning = {
  why: 'NVML, Nvidia’s library, has lost its access to the GPUs',
  hint: `where the agent runs in a container, restart the container, and start it with CDI (--device nvidia.com/gpu=all): systemctl daemon-reload on the host takes the GPUs away from running containers; elsewhere ${KERNEL_LOG}, then reboot`,
};
const BLOCKED: Meaning = {
  why: 'the operating system blocks access to the GPU',
  hint: 'under WSL, use WSL2 (wsl --set-version NAME 2) with Nvidia’s driver on Windows, then run wsl --shutdown there; elsewhere reboot',
};
const NEEDS_RESET: Meaning = {
  why: 'a GPU needs a reset',
  hint: 'run sudo nvidia-smi --gpu-reset -i INDEX while nothing uses the GPU, or reboot',
};

/** Meanings by text. They take precedence over the exit code, because 255 may mean anything; the first match counts. */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/driver\/library version mismatch/i, MISMATCH],
  [/couldn't communicate with the nvidia driver|driver(?: is)? not loaded/i, NO_DRIVER],
  [/gpu access blocked by the operating system/i, BLOCKED],
  [/insufficient permissions?\b|no permission/i, NO_PERMISSION],
  [/nvml[^:]*: *(?:unknown error|not found|uninitialized|gpu is lost)/i, NVML_LOST],
  [/nvml shared library|couldn't find libnvidia-ml|libnvidia-ml\.so[^:]*(?:cannot|not found)/i, NO_NVML],
  [/gpu is lost|fallen off the bus|unable to determine the device handle/i, GPU_LOST],
  [/gpu requires reset/i, NEEDS_RESET],
  [/inforom/i, BAD_INFOROM],
  [/power cables?\b/i, NO_POWER],
  [
    /persistence mode/i,
    {
      why: 'a warning about persistence mode',
      hint: 'turn it on with sudo nvidia-smi -pm 1, or run the service nvidia-persistenced',
    },
  ],
  [/no devices were found/i, NO_GPU],
];

/** What a line of nvidia-smi means; undefined: the agent does not know it. */
export function meaningOf(line: string): Meaning | undefined {
  return MEANINGS.find(([pattern]) => pattern.test(line))?.[1];
}

/** A meaning as it applies on a platform: under WSL the driver belongs on Windows, and a Jetson needs none. */
export function onPlatform(meaning: Meaning, platform: Platform): Meaning {
  if (meaning !== NO_DRIVER && meaning !== NO_NVML && meaning !== NO_GPU && meaning !== BLOCKED)
    return meaning;
  if (platform === 'wsl1')
    return { ...meaning, hint: 'WSL1 has no GPUs; convert the distribution: wsl --set-version NAME 2' };
  if (platform === 'wsl2')
    return {
      ...meaning,
      hint: 'install Nvidia’s driver on Windows, never inside WSL, then run wsl --shutdown on Windows and start WSL again',
    };
  return meaning;
}
