import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, asAgentError } from '../domain/errors.ts';
import { JOB_INPUT_PATH } from '../domain/job-input.ts';
import { type Language, languageOf } from '../domain/language.ts';
import type { JobFiles, LaidOut, OutputCollector } from '../domain/ports/job-files.ts';
import type { FunctionSpec } from '../domain/run.ts';
import { parsePythonLiteral } from '../python-literal/literal.ts';
import { LiteralError } from '../python-literal/literal-error.ts';
import type { PythonValue } from '../python-literal/value.ts';
import { encodeNodeEvent } from './node-event.ts';
import { JobOutput, RESULT_LIMIT } from './output.ts';

const ABOUT = 'job.json';
/** What is written to see whether something can be: about as much as a job's files and its lines in the journal take. */
const TRIAL = '.trial';
const TRIAL_BYTES = 65_536;
/** A job's uuid as the name of a folder: nothing in it can lead elsewhere. */
const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** How one language's files are called, what the event is written as, and the environment beside the loader. */
type Layout = {
  readonly loader: URL;
  readonly code: string;
  readonly event: string;
  readonly encode: (args: string) => string;
  readonly env: (runtime: string) => Readonly<Record<string, string>>;
};

const LAYOUTS: Readonly<Record<Language, Layout>> = {
  python: {
    loader: new URL('./loaders/loader.py', import.meta.url),
    // The module's name too, so that processes which multiprocessing starts can import it.
    code: 'sharedcloud_function.py',
    event: 'event.txt',
    // Each Python knows best what its own literals are.
    encode: (args) => args,
    env: (runtime) => ({
      PYTHONIOENCODING: 'utf-8:backslashreplace',
      PYTHONDONTWRITEBYTECODE: '1',
      // Python 2 cannot be made to print line by line from within.
      ...(/^python2/i.test(runtime) ? { PYTHONUNBUFFERED: '1' } : {}),
    }),
  },
  node: {
    loader: new URL('./loaders/loader.js', import.meta.url),
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

/** Jobs' files in folders of this host, one per job, which containers see read-only. */
export class JobFolders implements JobFiles {
  readonly #root: string;

  /** `root`: a folder for these alone; made when it is needed. */
  constructor(root: string) {
    this.#root = root;
  }

  async layOut(job: string, fn: FunctionSpec, args: string): Promise<LaidOut> {
    const folder = this.#folder(job);
    const language = languageOf(fn.runtime);
    if (language === undefined) {
      throw new AgentError(
        'FUNCTION_INVALID',
        `the runtime ‘${fn.runtime}’ of ${fn.name} is not known here`,
        {
          hint: 'Functions run on python* and node* runtimes.',
        },
      );
    }
    const layout = LAYOUTS[language];
    const event = layout.encode(args);
    const nonce = (await this.#nonce(folder)) ?? randomBytes(16).toString('hex');
    const about = { nonce, code: layout.code, event: layout.event, resultLimit: RESULT_LIMIT };
    const loader = await usable(folder, () => readFile(layout.loader, 'utf8'));
    await usable(folder, () =>
      replaceFolder(folder, {
        [layout.code]: fn.code,
        [layout.event]: event,
        [ABOUT]: JSON.stringify(about),
      }),
    );
    const env = { CODE: loader, SHAREDCLOUD_INPUT: JOB_INPUT_PATH, ...layout.env(fn.runtime) };
    return { inputDir: folder, env };
  }

  async output(job: string): Promise<OutputCollector> {
    const folder = this.#folder(job);
    const nonce = await this.#nonce(folder);
    if (nonce === undefined) {
      throw new AgentError('STATE_DIR_UNUSABLE', `the files of job ${job} are gone from ${folder}`, {
        hint: 'Leave the state directory to the agent alone.',
      });
    }
    return new JobOutput(nonce);
  }

  async remove(job: string): Promise<void> {
    const folder = this.#folder(job);
    await usable(folder, async () => {
      await removeFolder(folder);
      await removeFolder(unfinished(folder));
    });
  }

  async list(): Promise<readonly string[]> {
    const names = await usable(this.#root, () => whereItExists(readdir(this.#root)));
    // A folder that a crash left unfinished is its job's too.
    const jobs = new Set((names ?? []).map((name) => name.replace(/\.new$/, '')));
    return [...jobs].filter((name) => JOB_NAME.test(name));
  }

  async tryWriting(): Promise<void> {
    const file = join(this.#root, TRIAL);
    await usable(this.#root, async () => {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
      try {
        await writeFile(file, randomBytes(TRIAL_BYTES), { flush: true });
      } finally {
        await rm(file, { force: true });
      }
    });
  }

  #folder(job: string): string {
    if (!JOB_NAME.test(job)) {
      throw new AgentError(
        'BROKER_BAD_ANSWER',
        `${JSON.stringify(job.slice(0, 200))} cannot be a job’s uuid`,
        {
          hint: 'Ask the broker’s operator.',
        },
      );
    }
    return join(this.#root, job);
  }

  /** The nonce that the job was laid out with before, if it was. */
  async #nonce(folder: string): Promise<string | undefined> {
    const text = await usable(folder, () => whereItExists(readFile(join(folder, ABOUT), 'utf8')));
    return /"nonce":"([0-9a-f]{32})"/.exec(text ?? '')?.[1];
  }
}

function unfinished(folder: string): string {
  return `${folder}.new`;
}

/** Writes the files beside the folder and then puts them in its place, so that it is never there in part. */
async function replaceFolder(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const fresh = unfinished(folder);
  await removeFolder(fresh);
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  // Side by side: one sync of the disk then serves them all.
  const written = Object.entries(files).map(async ([name, content]) => {
    await writeFile(join(fresh, name), content, { flush: true });
    // The container’s user is nobody; our umask is none of its business.
    await chmod(join(fresh, name), 0o444);
  });
  // None of them is left writing while the folder is removed for another's failure.
  for (const end of await Promise.allSettled(written)) if (end.status === 'rejected') throw end.reason;
  await chmod(fresh, 0o555);
  await removeFolder(folder);
  await rename(fresh, folder);
}

/** A folder that may not be written to cannot be emptied either. */
async function removeFolder(folder: string): Promise<void> {
  if ((await whereItExists(chmod(folder, 0o700).then(() => true))) === undefined) return;
  await rm(folder, { recursive: true, force: true });
}

async function whereItExists<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

async function usable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AgentError('STATE_DIR_UNUSABLE', `cannot use ${path}: ${asAgentError(cause).message}`, {
      cause,
      hint: 'See that the state directory has room and belongs to the agent’s user.',
    });
  }
}
