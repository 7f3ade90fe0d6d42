import { type FileHandle, open } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;

/** Reads a file from its first byte while another process writes it. */
export class OutputFile implements AsyncDisposable {
  readonly #file: FileHandle;
  #position = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<OutputFile> {
    return new OutputFile(await open(path, 'r'));
  }

  /** Passes what was written since the last call to `take`, in chunks of their own, until `signal` aborts. */
  async readOn(take: (chunk: Uint8Array) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { bytesRead, buffer } = await this.#file.read({
        buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES),
        position: this.#position,
      });
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      take(buffer.subarray(0, bytesRead));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
