import { PYTHON_CODE_FILE } from '../domain/job-input.ts';
import type { Language } from '../domain/language.ts';

/** How the functions of a language are run: the loader, the names of its files, the event and the environment. */
export type Loader = {
  readonly program: URL;
  readonly code: string;
  readonly event: string;
  /** Whether the event is the arguments as they are, because the loader parses them; else it is their JSON. */
  readonly parsesArguments: boolean;
  readonly env: (runtime: string) => Readonly<Record<string, string>>;
};

export const LOADERS: Readonly<Record<Language, Loader>> = {
  python: {
    program: new URL('./loaders/loader.py', import.meta.url),
    // Also the module's name, so that processes of multiprocessing can import it.
    code: PYTHON_CODE_FILE,
    event: 'event.txt',
    // Python versions differ in what they accept.
    parsesArguments: true,
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
    parsesArguments: false,
    env: () => ({}),
  },
};
