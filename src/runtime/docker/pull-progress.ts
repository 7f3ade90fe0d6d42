import { z } from 'zod';

const EVENT = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

type Layer = { status: string; current: number; total: number };

/** How far a pull has come, in bytes of compressed layers; the total grows while layers are still unknown. */
export type PullBytes = { readonly doneBytes: number; readonly totalBytes: number };

/** Adds up what the engine reports while it pulls: one JSON line per step of a layer. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  #error: string | undefined;

  /** Takes one line; answers whether the pull has come further by it. Retries and idle repetitions do not count. */
  take(line: string): boolean {
    const event = parse(line);
    if (event === undefined) return false;
    this.#error = event.errorDetail?.message ?? event.error ?? this.#error;
    const status = event.status ?? '';
    if (event.id === undefined) return status !== '';
    if (/^(?:Retrying|Waiting)/.test(status)) return false;
    const layer = this.#layers.get(event.id) ?? { status: '', current: 0, total: 0 };
    const current = event.progressDetail?.current ?? 0;
    const moved = layer.status !== status || layer.current !== current;
    layer.status = status;
    layer.current = current;
    if (status === 'Downloading') layer.total = event.progressDetail?.total ?? layer.total;
    this.#layers.set(event.id, layer);
    return moved;
  }

  /** What the engine gave up with, if it did. */
  get error(): string | undefined {
    return this.#error;
  }

  get bytes(): PullBytes {
    let doneBytes = 0;
    let totalBytes = 0;
    for (const { status, current, total } of this.#layers.values()) {
      doneBytes += status === 'Downloading' ? current : total;
      totalBytes += Math.max(total, status === 'Downloading' ? current : 0);
    }
    return { doneBytes, totalBytes };
  }
}

function parse(line: string): z.infer<typeof EVENT> | undefined {
  try {
    return EVENT.safeParse(JSON.parse(line)).data;
  } catch {
    // A line that is no JSON says nothing about the pull; its end is what counts.
    return undefined;
  }
}
