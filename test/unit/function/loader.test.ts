import { describe, expect, test } from 'vitest';
import { type Interpreter, missing, nodes, pythons } from '../../support/function/interpreters.ts';
import { differences, type LoaderCase } from '../../support/function/loader-case.ts';
import { NODE_CASES, NODE_PIPE_CASES } from '../../support/function/node-cases.ts';
import { PYTHON_CASES } from '../../support/function/python-cases.ts';
import { runJob } from '../../support/function/run-job.ts';

const found = { Python: pythons(), 'Node.js': nodes() } as const;
const python = found.Python.findLast(() => true);

/** The whole table on every version takes a minute or two: that is for CI. */
const everything = process.env['CI'] === 'true';

describe.concurrent.each(found.Python)('a function on $name', (interpreter) => {
  const version = Number(/\d+/.exec(interpreter.name)?.[0]);
  const whole = everything || ['Python 2.7', 'Python 3.6', python?.name].includes(interpreter.name);
  cases(
    interpreter,
    PYTHON_CASES.filter(({ core, from }) => (whole || core === true) && version >= (from ?? 0)),
  );
});

describe.concurrent.each(found['Node.js'])('a function on $name', (interpreter) => {
  const whole = everything || interpreter.path === process.execPath || interpreter.name === 'Node.js 8';
  cases(
    interpreter,
    NODE_CASES.filter(({ core }) => whole || core === true),
  );

  test.each(NODE_PIPE_CASES)('that $what, through a pipe', async (trial) => {
    expect(differences(trial, await runJob({ interpreter, ...trial, pipe: true }))).toEqual([]);
  });
});

describe.each(['Python', 'Node.js'] as const)('%s', (kind) => {
  const lacking = missing(found[kind], kind);
  test.skipIf(lacking.length > 0)(
    `all versions were tried${lacking.length > 0 ? `, but not ${lacking.join(', ')}: not on this machine` : ''}`,
    () => {
      expect(found[kind]).not.toEqual([]);
    },
  );
});

test.skipIf(python === undefined)(
  'whatever the locale says, Python prints UTF-8 (needs Python)',
  async () => {
    const interpreter = python ?? { name: '', path: '' };
    const env = { LC_ALL: 'POSIX', PYTHONUTF8: '0', PYTHONCOERCECLOCALE: '0' };
    const got = await runJob({ interpreter, env, code: 'def handler(event): print("é")' });
    expect(got).toMatchObject({ stdout: 'é\n', code: 0, result: '' });
  },
);

/** Alternately through a socket and a pipe. */
function cases(interpreter: Interpreter, trials: readonly LoaderCase[]): void {
  test.each(trials.map((trial, index) => ({ ...trial, pipe: index % 2 === 0 })))(
    'that $what',
    async (trial) => {
      expect(differences(trial, await runJob({ interpreter, ...trial }))).toEqual([]);
    },
  );
}
