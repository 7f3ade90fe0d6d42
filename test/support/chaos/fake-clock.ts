import { existsSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/** Where Debian's package `faketime` has its library; undefined: it is not installed. */
export function findLibFaketime(): string | undefined {
  return readdirSync(LIBRARIES)
    .map((triplet) => join(LIBRARIES, triplet, 'faketime', 'libfaketime.so.1'))
    .find((path) => existsSync(path));
}

/** A wall clock that can be set while processes run by it; their monotonic clocks go on as they are. */
export class FakeClock {
  readonly #library: string;
  readonly #file: string;

  /** The clock is kept in a file of this directory. */
  constructor(library: string, directory: string) {
    this.#library = library;
    this.#file = join(directory, 'clock');
  }

  /** What a process needs in its environment to go by this clock. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Sets the clock to so many days from the true time; processes see it when they next read it. */
  async set(days: number): Promise<void> {
    await writeFile(`${this.#file}.new`, `${days < 0 ? '' : '+'}${days}d\n`);
    await rename(`${this.#file}.new`, this.#file);
  }
}
