import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Projects whose files take longest, and so begin first where several run together. */
const SLOWEST = ['fleet', 'package', 'chaos'];

/** Vitest's own order, but for the slowest projects: begun last, each of their files would keep the others waiting. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project }: TestSpecification): number => {
      const index = SLOWEST.indexOf(project.name);
      return index < 0 ? SLOWEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
