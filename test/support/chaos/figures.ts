import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../../../.cache/chaos');

/** For the environment of agents that live only for a moment: what one has compiled, the next need not. */
export const COMPILE_ONCE = { NODE_COMPILE_CACHE: join(FOLDER, 'compiled') };

/** What a chaos test has measured, by name. */
export type Figures = Readonly<Record<string, number | string>>;

/** Keeps them as JSON in `.cache/chaos/`. */
export function keepFigures(name: string, figures: Figures | readonly Figures[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
}

/** Keeps figures as JSON in `.cache/chaos/`, and prints them as one line. */
export function printFigures(name: string, figures: Figures): void {
  keepFigures(name, figures);
  const line = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  // Past the test runner, which would print the name of the test above each line.
  process.stdout.write(`${name}: ${line.join(', ')}\n`);
}
