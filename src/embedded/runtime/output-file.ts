import { type FileHandle, open } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;

/** Reads a file that another process is still writing to, from its first byte on. */
export class OutputFile implements AsyncDisposable {
  readonly #file: FileHandle;
  #position = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<OutputFile> {
    return new OutputFile(await open(path, 'r'));
  }

  /** Hands on what was written since the last call, each chunk in memory of its own, until `signal` aborts. */
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
