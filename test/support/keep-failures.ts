import { appendFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** How much of one failure is kept, in characters. */
const MAX_MESSAGE = 1_000;

/** Names the tests that fail in a file too, for who runs several suites and wants all failures at the end. */
export class KeepFailures implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const lines = [
      ...modules.flatMap(failuresIn),
      ...unhandled.map((error) => line('outside of any test', [error])),
    ];
    if (lines.length > 0) appendFileSync(this.#file, lines.join(''));
  }
}

function failuresIn(module: TestModule): readonly string[] {
  const { children, relativeModuleId: file } = module;
  const suites = [...children.allSuites()].filter((suite) => suite.errors().length > 0);
  const tests = [...children.allTests('failed')];
  return [
    ...(module.errors().length > 0 ? [line(file, module.errors())] : []),
    ...suites.map((suite) => line(`${file} > ${suite.fullName}`, suite.errors())),
    ...tests.map((test) => line(`${file} > ${test.fullName}`, test.result().errors ?? [])),
  ];
}

function line(what: string, errors: readonly SerializedError[]): string {
  const why = errors.map(({ message, stack }) => `${message}\n${stack?.split('\n').at(1) ?? ''}`).join('\n');
  return `× ${what}\n${why.slice(0, MAX_MESSAGE).replaceAll(/^/gm, '    ')}\n`;
}
