import { z } from 'zod';

/** A figure that is no measurement counts as missing. */
const BYTES = z.int().nonnegative().optional().catch(undefined);

const EVENT = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).optional(),
  progressDetail: z.object({ current: BYTES, total: BYTES }).optional(),
});

type Layer = { readonly status: string; readonly current: number; readonly total: number };

const UNKNOWN: Layer = { status: '', current: 0, total: 0 };

/** Progress in bytes of compressed layers, and how many layers' sizes the engine has not reported yet. */
export type LayerBytes = {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly unknownLayers: number;
};

/** A layer whose download has not begun. */
const ANNOUNCED = 'Pulling fs layer';

/** The end of a pull after which the name stands for another image than before, or for one at last. */
const BROUGHT = /^Status: Downloaded newer image/;

/** Adds up the engine's progress report: one JSON line for each step of a layer. */
export class LayerProgress {
  readonly #layers = new Map<string, Layer>();
  // Running sums, because they are read at every line and an image can have thousands of layers.
  #doneBytes = 0;
  #totalBytes = 0;
  #unknownLayers = 0;
  #error: string | undefined;
  #broughtImage = false;

  /** Takes one line. Returns whether it is progress; retries and repetitions are not. */
  take(line: string): boolean {
    const event = parse(line);
    if (event === undefined) return false;
    this.#error = event.errorDetail?.message ?? event.error ?? this.#error;
    const status = event.status ?? '';
    this.#broughtImage ||= event.id === undefined && BROUGHT.test(status);
    if (event.id === undefined) return status !== '';
    if (/^(?:Retrying|Waiting)/.test(status)) return false;
    const before = this.#layers.get(event.id) ?? UNKNOWN;
    const { current = 0, total = before.total } = event.progressDetail ?? {};
    const layer = { status, current, total: status === 'Downloading' ? total : before.total };
    this.#layers.set(event.id, layer);
    this.#doneBytes += doneOf(layer) - doneOf(before);
    this.#totalBytes += totalOf(layer) - totalOf(before);
    this.#unknownLayers += Number(status === ANNOUNCED) - Number(before.status === ANNOUNCED);
    return before.status !== status || before.current !== current;
  }

  /** The error that ended the pull, if any. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Whether the engine said that the image is new under its name. */
  get broughtImage(): boolean {
    return this.#broughtImage;
  }

  /** The number of layers so far. Newer engines report one more id beside them. */
  get layers(): number {
    return this.#layers.size;
  }

  get bytes(): LayerBytes {
    const [doneBytes, totalBytes, unknownLayers] = [this.#doneBytes, this.#totalBytes, this.#unknownLayers];
    return { doneBytes, totalBytes, unknownLayers };
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
    // A line that is not JSON is not progress. The end of the pull shows its result.
    return undefined;
  }
}
