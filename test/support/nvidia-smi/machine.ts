/** A host as the stand-in shows it: what nvidia-smi would say there. */
export type Machine = {
  readonly driver: string;
  readonly cuda: string;
  /** The fields that this driver can be asked for. */
  readonly fields: readonly string[];
  readonly gpus: readonly MachineGpu[];
  /** What computes on the GPUs: `used` as a cell of MiB. */
  readonly processes?: readonly MachineProcess[];
  readonly fault?: MachineFault;
  /** Other cells of all GPUs, round by round with `-lms`; the last of them stay. */
  readonly rounds?: readonly Readonly<Record<string, string>>[];
  /** What it prints around the rows of a query, and how it ends then. */
  readonly around?: {
    readonly before: string;
    readonly after: string;
    readonly exit: number;
    readonly stderr: string;
  };
};

/** A process, by the uuid of its GPU; it computes, unless `type` is `G`. `used` and `sm` as cells. */
export type MachineProcess = {
  readonly pid: number;
  readonly gpu: string;
  readonly used: string;
  readonly type?: 'C' | 'G' | 'C+G';
  readonly sm?: string;
  readonly name?: string;
};

/** A field that is left out is `[N/A]`; slices are profile and uuid. */
export type MachineGpu = {
  readonly cells: Readonly<Record<string, string>>;
  readonly slices: readonly (readonly [profile: string, uuid: string])[];
};

/** How the stand-in goes wrong instead of answering. */
export type MachineFault =
  /** Never answers, and takes no notice of SIGTERM. */
  | { readonly kind: 'hang' }
  /** Answers and ends, but leaves a process behind that keeps the pipes open. */
  | { readonly kind: 'leave-pipes-open' }
  /** Answers this, whatever was asked. */
  | { readonly kind: 'say'; readonly exit: number; readonly stdout: string; readonly stderr: string }
  /** Answers a query with these rows, whatever was asked. */
  | { readonly kind: 'rows'; readonly exit: number; readonly rows: string };

/** Whether this is a machine, as far as it takes to tell it from another file: the rest was typed when it was made. */
export function isMachine(value: unknown): value is Machine {
  return typeof value === 'object' && value !== null && 'fields' in value && 'gpus' in value;
}
