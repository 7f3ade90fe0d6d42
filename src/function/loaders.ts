import { asAgentError } from '../domain/errors.ts';
import { PYTHON_CODE_FILE } from '../domain/job-input.ts';
import type { Language } from '../domain/language.ts';
import { parsePythonLiteral } from '../python-literal/literal.ts';
import { LiteralError } from '../python-literal/literal-error.ts';
import type { PythonValue } from '../python-literal/value.ts';
import { encodeNodeEvent } from './node-event.ts';

/** How the functions of a language are run: the loader, the names of its files, the event and the environment. */
export type Loader = {
  readonly program: URL;
  readonly code: string;
  readonly event: string;
  /** The content of the event file. Throws FUNCTION_INVALID. */
  readonly encode: (args: string) => string;
  readonly env: (runtime: string) => Readonly<Record<string, string>>;
};

export const LOADERS: Readonly<Record<Language, Loader>> = {
  python: {
    program: new URL('./loaders/loader.py', import.meta.url),
    // Also the module's name, so that processes of multiprocessing can import it.
    code: PYTHON_CODE_FILE,
    event: 'event.txt',
    // The loader parses the literal, because Python versions differ in what they accept.
    encode: (args) => args,
    env: (runtime) => ({
      PYTHONIOENCODING: 'utf-8:backslashreplace',
      PYTHONDONTWRITEBYTECODE: '1',
      // Python 2 cannot switch to line buffering from within.
      ...(/^python2/i.test(runtime) ? { PYTHONUNBUFFERED: '1' } : {}),
    }),
  },
  node: {
    program: new URL('./loaders/loader.js', import.meta.url),
    code: 'sharedcloud_function.js',
    event: 'event.json',
    encode: (args) => encodeNodeEvent(parseArguments(args)),
    env: () => ({}),
  },
};

function parseArguments(args: string): PythonValue {
  try {
    return parsePythonLiteral(args);
  } catch (thrown) {
    throw thrown instanceof LiteralError ? asAgentError(thrown, 'FUNCTION_INVALID') : thrown;
  }
}
