import { describe, expect, test } from 'vitest';
import { CANARY_CODE } from '../../../../src/agent/gpu-health/canary-code.ts';
import { nodes, pythons } from '../../../support/function/interpreters.ts';
import { runLoader } from '../../../support/function/run-loader.ts';

/** A driver's library of Python, in front of the canary: `answers` are what its calls return, 0 by default. */
function driver(answers: string, memory = 'WORD'): string {
  return `
class Driver(object):
    answers = ${answers}

    def __getattr__(self, name):
        def call(*args):
            if name == 'cuDeviceGetCount':
                args[0]._obj.value = self.answers.get('count', 1)
            if name == 'cuMemcpyDtoH_v2':
                for at in range(len(args[0])):
                    args[0][at] = ${memory}
            return self.answers.get(name, 0)
        return call


ctypes.CDLL = lambda name: Driver()
`;
}

const AFTER_IMPORT = 'import ctypes\n';
const withDriver = (library: string): string =>
  CANARY_CODE.python.replace(AFTER_IMPORT, `${AFTER_IMPORT}${library}`);

describe.each(pythons())('the canary on $name', (interpreter) => {
  const run = (code: string) => runLoader({ interpreter, code });

  test('passes on a GPU that works', async () => {
    const { code, result } = await run(withDriver(driver('{}')));
    expect([code, result]).toEqual([0, 'filled some memory and read it back']);
  });

  test('passes where the image has no driver’s library', async () => {
    const missing = `ctypes.CDLL = lambda name: (_ for _ in ()).throw(OSError('no such file'))\n`;
    const none = await run(withDriver(missing));
    expect([none.code, none.result]).toEqual([0, 'started; there is no libcuda here to try more']);
  });

  test.each([
    ['it cannot be initialised', driver(`{'cuInit': 999}`), 'cuInit failed with CUDA error 999'],
    ['others use all its memory', driver(`{'cuMemAlloc_v2': 2}`), 'others use all memory of the GPU'],
    ['there is none', driver(`{'count': 0}`), 'the driver shows no GPU'],
    [
      'it cannot be used',
      driver(`{'cuDevicePrimaryCtxRetain': 214}`),
      'cuDevicePrimaryCtxRetain failed with CUDA error 214',
    ],
    [
      'its memory forgets',
      driver('{}', 'WORD if at else 0'),
      'the memory does not hold what was written to it',
    ],
  ])('does not pass where %s', async (_, library, message) => {
    const { code, result, stderr } = await run(withDriver(library));
    expect([code, result, stderr.trim()]).toEqual([1, undefined, message]);
  });
});

test('the canary in Node.js starts', async () => {
  const [interpreter] = nodes();
  const { code, result } = await runLoader({
    interpreter: interpreter ?? { name: '', path: '' },
    code: CANARY_CODE.node,
  });
  expect([code, result]).toEqual([0, 'started']);
});
