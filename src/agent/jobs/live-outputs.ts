import { StringDecoder } from 'node:string_decoder';
import type { OutputSink, OutputStream } from '../../domain/ports/runtime.ts';
import { Notifier } from '../../lib/notifier.ts';
import { LIMITS } from '../../limits.ts';

/** A piece of what a running job printed; `seq` rises by one. */
export type OutputPiece = { readonly seq: number; readonly stream: OutputStream; readonly text: string };

/** What a job prints while it runs: the end of it, bounded, for the owner who watches. */
export class LiveOutput {
  /** Notified when something was printed, and at the end. */
  readonly changed = new Notifier();
  readonly #pieces: OutputPiece[] = [];
  #size = 0;
  #seq = 0;
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the job's output from its first byte: what was printed before is forgotten, since it comes again. */
  sink(): OutputSink {
    const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
    this.#pieces.length = 0;
    this.#size = 0;
    return (stream, chunk) => {
      const text = decoders[stream].write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if (text !== '') this.#add(stream, text.slice(-LIMITS.job.liveOutput.max));
    };
  }

  /** The pieces after this one, oldest first, and how many between are no longer known. */
  after(seq: number): { readonly pieces: readonly OutputPiece[]; readonly leftOut: number } {
    const pieces = this.#pieces.filter((piece) => piece.seq > seq);
    const oldest = pieces[0]?.seq ?? this.#seq + 1;
    return { pieces, leftOut: Math.max(oldest - seq - 1, 0) };
  }

  end(): void {
    this.#isOver = true;
    this.changed.notify();
  }

  #add(stream: OutputStream, text: string): void {
    this.#seq += 1;
    this.#pieces.push({ seq: this.#seq, stream, text });
    this.#size += text.length;
    while (this.#size > LIMITS.job.liveOutput.max) this.#size -= this.#pieces.shift()?.text.length ?? 0;
    this.changed.notify();
  }
}

/** The output of the jobs that run here now. */
export class LiveOutputs {
  readonly #outputs = new Map<string, LiveOutput>();

  /** Undefined: the job does not run here now. */
  of(job: string): LiveOutput | undefined {
    return this.#outputs.get(job);
  }

  /** Remembers a job's output until the result is disposed of. */
  open(job: string): Disposable & { readonly live: LiveOutput } {
    const live = new LiveOutput();
    this.#outputs.set(job, live);
    return {
      live,
      [Symbol.dispose]: () => {
        this.#outputs.delete(job);
        live.end();
      },
    };
  }
}
