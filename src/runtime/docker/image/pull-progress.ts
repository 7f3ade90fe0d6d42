import { z } from 'zod';

const EVENT = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

type Layer = { readonly status: string; readonly current: number; readonly total: number };

const UNKNOWN: Layer = { status: '', current: 0, total: 0 };

/** How far a pull has come, in bytes of compressed layers; the total grows while layers are still unknown. */
export type PullBytes = { readonly doneBytes: number; readonly totalBytes: number };

/** Adds up what the engine reports while it pulls: one JSON line per step of a layer. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  // Kept as sums, since they are asked for at every line, and whoever made the image says how many layers there are.
  #doneBytes = 0;
  #totalBytes = 0;
  #error: string | undefined;

  /** Takes one line; answers whether the pull has come further by it. Retries and idle repetitions do not count. */
  take(line: string): boolean {
    const event = parse(line);
    if (event === undefined) return false;
    this.#error = event.errorDetail?.message ?? event.error ?? this.#error;
    const status = event.status ?? '';
    if (event.id === undefined) return status !== '';
    if (/^(?:Retrying|Waiting)/.test(status)) return false;
    const before = this.#layers.get(event.id) ?? UNKNOWN;
    const { current = 0, total = before.total } = event.progressDetail ?? {};
    const layer = { status, current, total: status === 'Downloading' ? total : before.total };
    this.#layers.set(event.id, layer);
    this.#doneBytes += doneOf(layer) - doneOf(before);
    this.#totalBytes += totalOf(layer) - totalOf(before);
    return before.status !== status || before.current !== current;
  }

  /** What the engine gave up with, if it did. */
  get error(): string | undefined {
    return this.#error;
  }

  /** How many layers were heard of so far; a name that newer engines report beside them counts too. */
  get layers(): number {
    return this.#layers.size;
  }

  get bytes(): PullBytes {
    return { doneBytes: this.#doneBytes, totalBytes: this.#totalBytes };
  }
}

function doneOf({ status, current, total }: Layer): number {
  return status === 'Downloading' ? current : total;
}

function totalOf({ status, current, total }: Layer): number {
  return Math.max(total, status === 'Downloading' ? current : 0);
}

function parse(line: string): z.infer<typeof EVENT> | undefined {
  try {
    return EVENT.safeParse(JSON.parse(line)).data;
  } catch {
    // A line that is no JSON says nothing about the pull; its end is what counts.
    return undefined;
  }
}
