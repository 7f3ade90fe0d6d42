import type { Machine } from './machine.ts';
import { changed, GTX_1080_TI, H100_MIG, TESLA_T4, TWO_T4 } from './machines.ts';

/*
 * Hosts on which nvidia-smi answers oddly, written by hand after public reports.
 */

const HANDLE = 'Unable to determine the device handle for';
const NONE = 'No devices were found\n';

const around = (before: string, after: string, exit: number, stderr = ''): Machine => ({
  ...TESLA_T4,
  around: { before, after, exit, stderr },
});
const says = (exit: number, stdout: string): Machine => ({
  ...TESLA_T4,
  fault: { kind: 'say', exit, stdout, stderr: '' },
});
const named = (name: string, uuid: string): Machine =>
  changed(TESLA_T4, 0, { name, uuid, 'memory.total': '[N/A]', 'memory.used': '[N/A]' });

/** Each host with what the agent makes of it: usable GPUs, faults, notices, or the error of the whole probe. */
export type OddHost = {
  readonly machine: Machine;
  readonly usable?: number;
  readonly faults?: readonly RegExp[];
  readonly notices?: readonly RegExp[];
  readonly error?: readonly [code: string, message: RegExp, hint: RegExp];
};

/** By what is odd. */
export const ODD_HOSTS: Readonly<Record<string, OddHost>> = {
  'a lost GPU after the rows, exit code 15': {
    machine: around(
      '',
      `${HANDLE} GPU 0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU\n`,
      15,
    ),
    usable: 1,
    notices: [/0000:02:00\.0: GPU is lost/],
  },
  'a lost GPU before the rows, exit code 255': {
    machine: around(`${HANDLE} GPU0000:BA:00.0: Unknown Error\n`, '', 255),
    usable: 1,
    notices: [/GPU0000:BA:00\.0: Unknown Error/],
  },
  'a lost GPU on stderr, exit code 6': {
    machine: around('', '', 6, `${HANDLE} GPU 0000:02:00.0: GPU is lost.\n`),
    usable: 1,
    notices: [/GPU is lost/],
  },
  'a lost GPU after the rows, exit code 0': {
    machine: around('', 'GPU 0000:02:00.0: GPU has fallen off the bus\n', 0),
    usable: 1,
    notices: [/fallen off the bus/],
  },
  'a warning of an infoROM, exit code 14': {
    machine: {
      ...TWO_T4,
      around: {
        before: '',
        after: 'WARNING: infoROM is corrupted at gpu 0000:3B:00.0\n',
        exit: 14,
        stderr: '',
      },
    },
    usable: 2,
    notices: [/infoROM is corrupted/],
  },
  'a warning of persistence mode, exit code 0': {
    machine: around('Warning: persistence mode is disabled on device 00000000:01:00.0.\n', '', 0),
    usable: 1,
    notices: [/persistence mode/],
  },
  '“No devices were found” beside a row': {
    machine: around('', NONE, 6),
    usable: 1,
    notices: [/No devices were found/],
  },
  'an exit code without a word': { machine: around('', '', 255), usable: 1, notices: [/exit code 255/] },
  'blank lines with CRLF': { machine: around('\r\n', '\r\n', 0), usable: 1 },
  'a handle error, then no devices': {
    machine: says(6, `${HANDLE} GPU0000:02:00.0: Unknown Error\n${NONE}`),
    error: ['GPU_PROBE_FAILED', /Unable to determine.*0000:02:00/, /reboot/],
  },
  'a handle error alone': {
    machine: says(255, `${HANDLE} GPU0000:BA:00.0: Unknown Error\n`),
    error: ['GPU_PROBE_FAILED', /Unable to determine/, /reboot/],
  },
  'NVML lost in a container': {
    machine: says(255, 'Failed to initialize NVML: Unknown Error\n'),
    error: ['GPU_PROBE_FAILED', /NVML.*lost its access/, /restart the container.*daemon-reload/],
  },
  'NVML without permission': {
    machine: says(4, 'Failed to initialize NVML: Insufficient Permissions\n'),
    error: ['GPU_PROBE_FAILED', /may not use the GPUs|GPUs/, /CDI/],
  },
  'an updated driver': {
    machine: says(
      18,
      'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.183\n',
    ),
    error: ['GPU_PROBE_FAILED', /updated/, /reboot/],
  },
  'access blocked by the operating system': {
    machine: says(
      17,
      'Failed to initialize NVML: GPU access blocked by the operating system\nFailed to properly shut down NVML: GPU access blocked by the operating system\n',
    ),
    error: ['GPU_PROBE_FAILED', /blocks access/, /WSL2/],
  },
  'a GB10': {
    machine: named('NVIDIA GB10', 'GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5'),
    usable: 1,
  },
  'a Jetson': { machine: named('Orin (nvgpu)', '54f0c4c6-8a2b-5d1e-a2f0-0c1d8a7f8b11'), faults: [/Jetson/] },
  'a Thor': { machine: named('NVIDIA Thor', 'a21f5a5d-8a2b-5d1e-a2f0-0c1d8a7f8b11'), faults: [/Jetson/] },
  'an exclusive GPU': { machine: changed(TESLA_T4, 0, { compute_mode: 'Exclusive_Process' }), usable: 1 },
  'a prohibited GPU': {
    machine: changed(TESLA_T4, 0, { compute_mode: 'Prohibited' }),
    faults: [/compute mode is Prohibited/],
  },
  'a GPU to drain': {
    machine: changed(TWO_T4, 0, { gpu_recovery_action: 'Drain P2P' }),
    usable: 1,
    faults: [/Drain P2P/],
  },
  'cells without permission': {
    machine: changed(TESLA_T4, 0, {
      'memory.used': '[Insufficient Permissions]',
      'utilization.gpu': '[Insufficient Permissions]',
    }),
    usable: 1,
  },
  'one sensor that fails': {
    machine: changed(TESLA_T4, 0, { 'utilization.gpu': '[Unknown Error]' }),
    usable: 1,
  },
  'a laptop': {
    machine: changed(TESLA_T4, 0, {
      name: 'NVIDIA GeForce RTX 3060 Laptop GPU',
      'power.draw': '[Unknown Error]',
    }),
    usable: 1,
  },
  'MIG slices with odd names': {
    machine: {
      ...H100_MIG,
      gpus: H100_MIG.gpus.slice(0, 1).map((gpu) => ({
        ...gpu,
        slices: [
          ['1g.24gb+gfx', 'MIG-1f292bf8-f63f-570f-a866-efaab3ceb50a'],
          ['1g.24gb-me', 'MIG-2f292bf8-f63f-570f-a866-efaab3ceb50a'],
        ],
      })),
    },
    usable: 1,
  },
  'a driver of 2017': { machine: GTX_1080_TI, usable: 1 },
  'two GPUs with one uuid': {
    machine: [0, 1].reduce(
      (host, at) => changed(host, at, { uuid: 'GPU-00000000-0000-0000-0000-000000000000' }),
      TWO_T4,
    ),
    faults: [/GPU 1 has the same uuid/, /GPU 0 has the same uuid/],
  },
  'a name with a comma beside a good row': {
    machine: changed(TWO_T4, 1, { name: 'Tesla, T4' }),
    usable: 1,
    notices: [/Tesla, T4/],
  },
};
