import { describe, expect, test } from 'vitest';
import { type Interpreter, missing, nodes, pythons } from '../../support/function/interpreters.ts';
import { differences, type LoaderCase } from '../../support/function/loader-case.ts';
import { casesOf } from '../../support/function/loader-cases.ts';
import { NODE_PIPE_CASES } from '../../support/function/node-cases.ts';
import { runLoader } from '../../support/function/run-loader.ts';

const found = { Python: pythons(), 'Node.js': nodes() } as const;
const newestPython = found.Python.findLast(() => true);

/** All cases on every version take minutes, so only CI runs them. */
const onCi = process.env['CI'] === 'true';

describe.concurrent.each(found.Python)('a function on $name', (interpreter) => {
  const major = Number(/\d+/.exec(interpreter.name)?.[0]);
  const all = onCi || ['Python 2.7', 'Python 3.6', newestPython?.name].includes(interpreter.name);
  runCases(
    interpreter,
    casesOf('python').filter(({ core, from = 0 }) => (all || core === true) && major >= from),
  );
});

describe.concurrent.each(found['Node.js'])('a function on $name', (interpreter) => {
  const all = onCi || interpreter.path === process.execPath || interpreter.name === 'Node.js 8';
  runCases(
    interpreter,
    casesOf('node').filter(({ core }) => all || core === true),
  );

  test.each(NODE_PIPE_CASES)('that $what, with a pipe', async (one) => {
    expect(differences(one, await runLoader({ interpreter, ...one, pipe: true }))).toEqual([]);
  });
});

describe.each(['Python', 'Node.js'] as const)('%s', (language) => {
  const absent = missing(found[language], language);
  test.skipIf(absent.length > 0)(
    `was tested in all versions${absent.length > 0 ? `, but ${absent.join(', ')} are not on this machine` : ''}`,
    () => {
      expect(found[language]).not.toEqual([]);
    },
  );
});

test.skipIf(newestPython === undefined)('Python prints UTF-8 in any locale (needs Python)', async () => {
  const interpreter = newestPython ?? { name: '', path: '' };
  const env = { LC_ALL: 'POSIX', PYTHONUTF8: '0', PYTHONCOERCECLOCALE: '0' };
  const got = await runLoader({ interpreter, env, code: 'def handler(event): print("é")' });
  expect(got).toMatchObject({ stdout: 'é\n', code: 0, result: '' });
});

/** Runs the cases alternately with a pipe and a socket. */
function runCases(interpreter: Interpreter, cases: readonly LoaderCase[]): void {
  test.each(cases.map((one, index) => ({ ...one, pipe: index % 2 === 0 })))('that $what', async (one) => {
    expect(differences(one, await runLoader({ interpreter, ...one }))).toEqual([]);
  });
}
