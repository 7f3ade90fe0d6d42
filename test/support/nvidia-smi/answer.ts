import type { Machine, MachineProcess } from './machine.ts';

/** What a program printed, and its exit code. */
export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string };

const ALIASES: Readonly<Record<string, string>> = {
  gpu_uuid: 'uuid',
  gpu_name: 'name',
  gpu_bus_id: 'pci.bus_id',
};

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^memory\./, ' MiB'],
  [/^utilization\./, ' %'],
  [/^power\./, ' W'],
];

/** What nvidia-smi answers on this machine. */
export function answer(machine: Machine, args: readonly string[]): Answer {
  const { fault } = machine;
  if (fault?.kind === 'say') return { code: fault.exit, stdout: fault.stdout, stderr: fault.stderr };
  const query = args.find((arg) => arg.startsWith('--query-gpu='));
  if (query !== undefined) return answerQuery(machine, query.slice('--query-gpu='.length).split(','), args);
  const [command] = args;
  if (command === '--query-compute-apps=pid,gpu_uuid,used_memory')
    return end(
      computing(machine)
        .map(({ gpu, pid, used }) => `${pid}, ${gpu}, ${used}\n`)
        .join(''),
      0,
    );
  if (command === 'pmon') return end(pmon(machine), 0);
  if (command === '--help-query-gpu') return end(help(machine), 0);
  if (command === '-L' || command === '--list-gpus') return end(list(machine), 0);
  if (command === '--version')
    return end(
      `NVIDIA-SMI version  : ${machine.driver}\nDRIVER version      : ${machine.driver}\nCUDA Version        : ${machine.cuda}\n`,
      0,
    );
  if (command === '-q') return end(args.includes('-x') ? xml(machine) : log(machine), 0);
  if (command === undefined)
    return end(`NVIDIA-SMI ${machine.driver}   CUDA ${machine.cuda}\n${list(machine)}`, 0);
  return end(`Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n`, 2);
}

function answerQuery(machine: Machine, asked: readonly string[], args: readonly string[]): Answer {
  const { fault } = machine;
  if (fault?.kind === 'rows') return end(fault.rows, fault.exit);
  const fields = asked.map((field) => ALIASES[field] ?? field);
  const unknown = fields.find((field) => !machine.fields.includes(field));
  if (unknown !== undefined) return end(`Field "${unknown}" is not a valid field to query.\n`, 2);
  if (machine.gpus.length === 0) return end('No devices were found\n', 6);
  const format =
    args
      .find((arg) => arg.startsWith('--format='))
      ?.slice('--format='.length)
      .split(',') ?? [];
  const unit = (field: string): string =>
    format.includes('nounits') ? '' : (UNITS.find(([pattern]) => pattern.test(field))?.[1] ?? '');
  const rows = machine.gpus.map(({ cells }) =>
    fields.map((field) => {
      const cell = cells[field] ?? (field === 'count' ? String(machine.gpus.length) : '[N/A]');
      return /^-?[\d.]+$/.test(cell) ? `${cell}${unit(field)}` : cell;
    }),
  );
  const header = format.includes('noheader')
    ? []
    : [fields.map((field) => `${field}${unit(field) && ` [${unit(field).trim()}]`}`)];
  const table = [...header, ...rows].map((cells) => `${cells.join(', ')}\n`).join('');
  const { after, before, exit, stderr } = machine.around ?? { before: '', after: '', exit: 0, stderr: '' };
  return { code: exit, stdout: `${before}${table}${after}`, stderr };
}

function help({ fields }: Machine): string {
  const names = fields.map((field) => {
    const alias = Object.keys(ALIASES).find((name) => ALIASES[name] === field);
    return `"${field}"${alias === undefined ? '' : ` or "${alias}"`}\nWhat ${field} is.\n`;
  });
  return `List of valid properties to query for the switch "--query-gpu":\n\n${names.join('\n')}`;
}

function list({ gpus }: Machine): string {
  return gpus
    .map(({ cells, slices }, index) => {
      const own = slices.map(
        ([profile, uuid], at) =>
          `  MIG ${profile.padEnd(11)} Device ${String(at).padStart(2)}: (UUID: ${uuid})\n`,
      );
      return `GPU ${index}: ${cells['name']} (UUID: ${cells['uuid']})\n${own.join('')}`;
    })
    .join('');
}

function xml({ cuda, driver, gpus }: Machine): string {
  const each = gpus.map(
    ({ cells }) =>
      `\t<gpu id="${cells['pci.bus_id']}">\n\t\t<product_name>${cells['name']}</product_name>\n\t\t<uuid>${cells['uuid']}</uuid>\n\t\t<minor_number>${cells['minor'] ?? cells['index']}</minor_number>\n\t</gpu>\n`,
  );
  return `<?xml version="1.0" ?>\n<nvidia_smi_log>\n\t<driver_version>${driver}</driver_version>\n\t<cuda_version>${cuda}</cuda_version>\n\t<attached_gpus>${gpus.length}</attached_gpus>\n${each.join('')}</nvidia_smi_log>\n`;
}

function log({ cuda, driver, gpus }: Machine): string {
  const each = gpus.map(
    ({ cells }) =>
      `\nGPU ${cells['pci.bus_id']}\n    Product Name : ${cells['name']}\n    GPU UUID : ${cells['uuid']}\n`,
  );
  return `==============NVSMI LOG==============\n\nDriver Version : ${driver}\nCUDA Version : ${cuda}\nAttached GPUs : ${gpus.length}\n${each.join('')}`;
}

/** The processes that compute, which is all that `--query-compute-apps` shows. */
function computing({ processes = [] }: Machine): readonly MachineProcess[] {
  return processes.filter(({ type = 'C' }) => type !== 'G');
}

/** A round of `pmon -s um`, with its header. */
function pmon({ gpus, processes = [] }: Machine): string {
  const rows = gpus.flatMap(({ cells }, index) => {
    const own = processes.filter(({ gpu }) => gpu === cells['uuid']);
    if (own.length === 0) return [`    ${index}          -     -      -      -      -      -      -    -`];
    return own.map(
      ({ name = 'a program', pid, sm = '-', type = 'C', used }) =>
        `    ${index} ${String(pid).padStart(10)} ${type.padStart(5)} ${sm.padStart(6)}      -      -      - ${used.padStart(6)}    ${name}`,
    );
  });
  const header = ['# gpu pid type sm mem enc dec fb command', '# Idx # C/G % % % % MB name'];
  return `${[...header, ...rows].join('\n')}\n`;
}

function end(stdout: string, code: number): Answer {
  return { code, stdout, stderr: '' };
}
