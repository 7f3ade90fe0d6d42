import type { Machine, MachineGpu } from './machine.ts';

/*
 * Hosts as nvidia-smi shows them, written by hand after its manual and what is publicly known of these cards.
 */

const FIELDS = [
  'timestamp',
  'driver_version',
  'count',
  'name',
  'serial',
  'uuid',
  'pci.bus_id',
  'index',
  'persistence_mode',
  'memory.total',
  'memory.used',
  'memory.free',
  'compute_mode',
  'utilization.gpu',
  'utilization.memory',
  'ecc.mode.current',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'clocks.current.graphics',
  'clocks.current.sm',
  'display_active',
  'fan.speed',
  'pstate',
];

/** What drivers of the 450s learned, and those of the 550s. */
const FIELDS_450 = [...FIELDS, 'mig.mode.current', 'mig.mode.pending'];
const FIELDS_550 = [
  ...FIELDS_450,
  'compute_cap',
  'power.draw.instant',
  'clocks_event_reasons.active',
  'gpu_recovery_action',
];

type Cells = Readonly<Record<string, string>>;

function gpuAt(index: number, cells: Cells): MachineGpu {
  const digit = (index + 1).toString(16);
  return {
    slices: [],
    cells: {
      index: String(index),
      uuid: `GPU-${digit.repeat(8)}-aaaa-4bbb-8ccc-${digit.repeat(12)}`,
      'pci.bus_id': `00000000:${digit.padStart(2, '0')}:00.0`,
      persistence_mode: 'Disabled',
      compute_mode: 'Default',
      'memory.used': '4',
      'utilization.gpu': '0',
      'temperature.gpu': '38',
      'power.draw': '14.52',
      ...cells,
    },
  };
}

function machine(driver: string, cuda: string, fields: readonly string[], gpus: readonly Cells[]): Machine {
  return {
    driver,
    cuda,
    fields,
    gpus: gpus.map((cells, index) => gpuAt(index, { driver_version: driver, ...cells })),
  };
}

/** A gaming PC of 2024. */
export const RTX_4080_SUPER = machine('580.65.06', '13.0', FIELDS_550, [
  {
    name: 'NVIDIA GeForce RTX 4080 SUPER',
    'memory.total': '16376',
    'memory.used': '1120',
    'utilization.gpu': '37',
    'temperature.gpu': '52',
    'power.draw': '96.31',
    'power.limit': '320.00',
    'mig.mode.current': '[N/A]',
    gpu_recovery_action: 'None',
    compute_cap: '8.9',
  },
]);

/** An old card on a driver that knows neither MIG nor recovery. */
export const GTX_1080_TI = machine('390.157', '9.1', FIELDS, [
  {
    name: 'GeForce GTX 1080 Ti',
    'memory.total': '11178',
    'utilization.gpu': '3',
    'power.draw': '[N/A]',
    'power.limit': '[Not Supported]',
    'ecc.mode.current': 'N/A',
  },
]);

/** A server's card without fan, screen and MIG. */
export const TESLA_T4 = machine('535.183.01', '12.2', FIELDS_450, [
  {
    name: 'Tesla T4',
    'memory.total': '15360',
    'power.limit': '70.00',
    'mig.mode.current': '[N/A]',
    'ecc.mode.current': 'Enabled',
  },
]);

const H100 = {
  name: 'NVIDIA H100 80GB HBM3',
  'memory.total': '81559',
  'power.limit': '700.00',
  gpu_recovery_action: 'None',
};
const TWO_H100 = machine('570.124.06', '12.8', FIELDS_550, [
  { ...H100, 'utilization.gpu': '[N/A]', 'mig.mode.current': 'Enabled' },
  { ...H100, 'mig.mode.current': 'Disabled' },
]);

/** One H100 cut in slices, one whole. */
export const H100_MIG: Machine = {
  ...TWO_H100,
  gpus: TWO_H100.gpus.map((gpu, index) => ({
    ...gpu,
    slices:
      index > 0
        ? []
        : [
            ['3g.40gb', 'MIG-5a1c0001-1111-5222-8333-000000000001'],
            ['1g.10gb', 'MIG-5a1c0002-1111-5222-8333-000000000002'],
            ['1g.10gb+me', 'MIG-5a1c0003-1111-5222-8333-000000000003'],
          ],
  })),
};

/** Eight of a kind. */
export const EIGHT_A100 = machine(
  '550.90.07',
  '12.4',
  FIELDS_550,
  Array.from({ length: 8 }, () => ({
    name: 'NVIDIA A100-SXM4-80GB',
    'memory.total': '81920',
    'power.limit': '400.00',
    'mig.mode.current': 'Disabled',
    gpu_recovery_action: 'None',
  })),
);

/** Two of a kind, for hosts on which one goes bad. */
export const TWO_T4 = machine(
  '550.90.07',
  '12.4',
  FIELDS_550,
  Array.from({ length: 2 }, () => ({
    name: 'Tesla T4',
    'memory.total': '15360',
    'power.limit': '70.00',
    'mig.mode.current': '[N/A]',
    gpu_recovery_action: 'None',
  })),
);

/** A machine with other cells on one of its GPUs. */
export function changed(machine: Machine, at: number, cells: Cells): Machine {
  const gpus = machine.gpus.map((gpu, index) =>
    index === at ? { ...gpu, cells: { ...gpu.cells, ...cells } } : gpu,
  );
  return { ...machine, gpus };
}

/** Every odd thing that a cell may say, and GPUs that are not well. */
export const ODD = machine('580.65.06', '13.0', FIELDS_550, [
  {
    name: 'NVIDIA GeForce RTX 3090',
    'memory.total': '[N/A]',
    'memory.used': 'N/A',
    'utilization.gpu': '',
    'temperature.gpu': '[Not Supported]',
    'power.draw': '[Unknown Error]',
    'power.limit': '[Insufficient Permissions]',
    compute_mode: '[Function Not Found]',
    'mig.mode.current': '[Requested functionality has been deprecated]',
    gpu_recovery_action: '[N/A]',
  },
  {
    name: 'NVIDIA GeForce RTX 3090',
    'utilization.gpu': '[GPU requires reset]',
    gpu_recovery_action: 'Reset',
  },
  { name: 'NVIDIA GeForce RTX 3090', 'memory.used': '[Unknown Error]' },
  { name: 'NVIDIA GeForce RTX 3090', gpu_recovery_action: 'Drain and Reset' },
  { name: 'NVIDIA GeForce RTX 3090', compute_mode: 'Prohibited' },
  { name: '[Unknown Error]', uuid: '[Unknown Error]', index: '[Unknown Error]' },
  { name: 'NVIDIA GeForce RTX 3090', 'temperature.gpu': '[GPU is lost]' },
]);
