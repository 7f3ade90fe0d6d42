import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, by the beginning of its path, and so begins first where several files run together. */
const SLOWEST = [
  'test/docker/runtime/hanging-start',
  'test/fleet/',
  'test/package/',
  'test/chaos/',
  'test/vm/',
].map((path) => resolve(import.meta.dirname, '../..', path));

/** Vitest's own order, but for the slowest files: begun last, each of them would keep the others waiting. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = SLOWEST.findIndex((path) => moduleId.startsWith(path));
      return index < 0 ? SLOWEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
