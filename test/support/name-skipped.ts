import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** What a suite that is skipped as a whole has in its name, before the reason. */
const SAYS_WHY = '(skipped: ';

/** The names of a test or suite, outermost first. */
type Path = readonly string[];

/** What vitest knows of a test or suite, as far as it takes to name it. */
type Task = { readonly name: string; readonly parent: Task | { readonly type: 'module' } };

/**
 * The lines that name what was skipped, each once: a suite that says why stands for all that is in it. Left out is
 * what does not match the pattern of `-t`, since it was not asked for.
 */
export function linesOf(skipped: readonly Path[], asked?: RegExp): readonly string[] {
  const names = skipped
    // As vitest joins them to compare.
    .filter((path) => asked === undefined || path.join(' ').search(asked) >= 0)
    .map((path) => {
      const why = path.findIndex((name) => name.includes(SAYS_WHY));
      return path.slice(0, why < 0 ? path.length : why + 1).join(' > ');
    });
  return [...new Set(names)].map((name) => `↓ ${name}`);
}

/** Names at the end of a run all that was skipped, which the reporters of vitest only count. */
export class NameSkipped implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = linesOf(modules.flatMap(skippedIn), this.#vitest?.getGlobalTestNamePattern());
    if (lines.length > 0) this.#vitest?.logger.log(['\nSkipped:', ...lines, ''].join('\n'));
  }
}

function skippedIn({ children }: TestModule): readonly Path[] {
  const tests = [...children.allTests('skipped')];
  // One that was to get a test for each of what is not there.
  const empty = [...children.allSuites()].filter((suite) => suite.children.size === 0);
  return [...tests, ...empty.filter((suite) => suite.state() === 'skipped')].map(pathOf);
}

function pathOf({ name, parent }: Task): Path {
  return 'name' in parent ? [...pathOf(parent), name] : [name];
}
