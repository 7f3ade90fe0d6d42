import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A job that ends when its gate is opened, and returns what it was given. */
export const GATED = `function handler([file, value]) {
  return new Promise((done) => {
    setInterval(() => require('node:fs').existsSync(file) && done(value), 20);
  });
}`;

/** What a job waits for. */
export class Gate {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, 'gate');
  }

  /** Of a run of one such job. */
  parameters(value = 0): string {
    return `(('${this.#file}', ${value}),)`;
  }

  open(): void {
    writeFileSync(this.#file, '');
  }
}
