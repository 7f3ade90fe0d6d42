/*
 * Whether somebody else than the agent's jobs uses a GPU. A desktop always uses it a little, and a browser that is left
 * open keeps its memory, so a program counts by what it does and by what it has taken lately.
 */

/** A process on a GPU, as nvidia-smi shows it in one round. */
export type SeenProcess = {
  readonly pid: number;
  /** The uuid of the GPU, also for a process on one of its slices. */
  readonly gpu: string;
  /** `C`: computes, `G`: draws, such as a game or a desktop; both: `C+G`. */
  readonly type: string;
  readonly name: string;
  readonly usedMiB: number | undefined;
  /** Its share of the GPU's multiprocessors, from 0 to 100. */
  readonly smPercent: number | undefined;
};

/** One reading of the processes of all GPUs. */
export type ProcessRound = {
  readonly processes: readonly SeenProcess[];
  /** The GPUs whose processes are all in it. Of the others nothing is known. */
  readonly gpus: ReadonlySet<string>;
};

/** Whose a process is; `unknown`: that cannot be found out now. */
export type ProcessOwner = 'ours' | 'foreign' | 'unknown';

/** What is known of somebody else's use of a GPU now. */
export type ForeignUse =
  | { readonly state: 'used'; readonly by: readonly SeenProcess[] }
  | { readonly state: 'quiet' }
  | { readonly state: 'unknown'; readonly why: string };

/** More memory than this above its baseline makes a process count, in MiB. */
const MEMORY_MIB = 500;
/** So large a share in two of three rounds makes a process count, in percent. */
const SM_PERCENT = 10;
const SM_ROUNDS = 3;
const SM_BUSY_ROUNDS = 2;
/** A process that neither computes nor takes memory for this long is part of the desktop, with what it has. */
export const SETTLED_MS = 300_000;
/** Memory that differs by less has not changed, in MiB. */
const STEADY_MIB = 100;

/** What was seen of a process, or of a GPU as a whole, in the last rounds. */
export type UseRecord = {
  /** Whether its share was large, in the last rounds, the latest last. */
  readonly busy: readonly boolean[];
  /** What it has counts from here on. */
  readonly baselineMiB: number;
  /** What it had when it last took memory or was busy, and when that was by the monotonic clock. */
  readonly steady: { readonly usedMiB: number; readonly since: number };
  readonly usedMiB: number | undefined;
};

/** The figures of a process, or of a GPU as a whole. */
export type UseFigures = { readonly usedMiB: number | undefined; readonly smPercent: number | undefined };

/** The record after another round at `now`, by the monotonic clock. The memory of a new one counts from `baselineMiB` on. Pure. */
export function recordUse(
  record: UseRecord | undefined,
  { smPercent, usedMiB }: UseFigures,
  { baselineMiB = 0, now }: { readonly now: number; readonly baselineMiB?: number },
): UseRecord {
  const isBusy = (smPercent ?? 0) >= SM_PERCENT;
  const busy = [...(record?.busy ?? []), isBusy].slice(-SM_ROUNDS);
  const last = record?.steady ?? { usedMiB: usedMiB ?? 0, since: now };
  const used = usedMiB ?? last.usedMiB;
  const isSteady = !isBusy && Math.abs(used - last.usedMiB) < STEADY_MIB;
  const steady = isSteady ? last : { usedMiB: used, since: now };
  const isSettled = isSteady && now - last.since >= SETTLED_MS;
  const baseline = isSettled ? used : Math.min(record?.baselineMiB ?? baselineMiB, used);
  return { busy, baselineMiB: baseline, steady, usedMiB: used };
}

/** Whether so much use is a sign of somebody. Pure. */
export function isHeavy({ baselineMiB, busy, usedMiB }: UseRecord): boolean {
  if (busy.filter(Boolean).length >= SM_BUSY_ROUNDS) return true;
  return (usedMiB ?? 0) - baselineMiB > MEMORY_MIB;
}

/** Each process of the last rounds, by `keyOf`. */
export type ProcessRecords = ReadonlyMap<string, { readonly process: SeenProcess; readonly use: UseRecord }>;

/** The records after another round. Those of a GPU that is not whole in it stay, as nothing says that they ended. Pure. */
export function recordRound(
  records: ProcessRecords,
  { gpus, processes }: ProcessRound,
  now: number,
): ProcessRecords {
  const seen = processes.map((process) => {
    const use = recordUse(records.get(keyOf(process))?.use, process, { now });
    return [keyOf(process), { process, use }] as const;
  });
  const unseen = [...records].filter(([, { process }]) => !gpus.has(process.gpu));
  return new Map([...unseen, ...seen]);
}

/** The processes whose use is heavy, no matter whose they are. Pure. */
export function heavyProcesses(records: ProcessRecords): readonly SeenProcess[] {
  return [...records.values()].filter(({ use }) => isHeavy(use)).map(({ process }) => process);
}

/** Who uses a GPU, by its heavy processes and whose these are. `isWhole`: its processes are all known. Pure. */
export function foreignUse(
  heavy: readonly SeenProcess[],
  ownerOf: (pid: number) => ProcessOwner,
  isWhole: boolean,
): ForeignUse {
  const by = heavy.filter(({ pid }) => ownerOf(pid) === 'foreign');
  if (by.length > 0) return { state: 'used', by };
  if (!isWhole) return { state: 'unknown', why: 'its processes cannot be listed' };
  const unclear = heavy.find(({ pid }) => ownerOf(pid) === 'unknown');
  if (unclear === undefined) return { state: 'quiet' };
  return { state: 'unknown', why: `process ${unclear.pid} (${unclear.name}) may be a job’s or another’s` };
}

/** A process may be on several GPUs. */
function keyOf({ gpu, pid }: SeenProcess): string {
  return `${gpu} ${pid}`;
}
