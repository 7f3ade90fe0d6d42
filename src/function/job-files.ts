import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { JOB_INPUT_PATH } from '../domain/job-input.ts';
import { languageOf } from '../domain/language.ts';
import type { JobFiles, JobInput, LaidOut, OutputCollector } from '../domain/ports/job-files.ts';
import type { OutputSink } from '../domain/ports/runtime.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { EventEncoder } from './event-encoder.ts';
import { LOADERS } from './loaders.ts';
import { JobOutput, RESULT_LIMIT } from './output.ts';

/** Read by the loaders. */
const MANIFEST = 'job.json';
const TEST_FILE = '.write-test';
/** About as much as a job writes, with its rows in the journal. */
const TEST_BYTES = 65_536;
/** A job's uuid as a folder name, which cannot name a folder elsewhere. */
const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/**
 * The files of jobs on this host: one folder per job, which its container mounts read-only. What only changes or reads a
 * few names and kilobytes is done at once: each asynchronous call costs ten times the CPU time. What writes waits for the disk.
 */
export class JobFolders implements JobFiles {
  readonly #root: string;
  readonly #events = new EventEncoder();

  /** `root` must hold nothing else; it is created when needed. */
  constructor(root: string) {
    this.#root = root;
  }

  async layOut(job: string, { args, code, fn }: JobInput): Promise<LaidOut> {
    const folder = this.#folder(job);
    const language = languageOf(fn.runtime);
    if (language === undefined) {
      throw new AgentError('FUNCTION_INVALID', `the runtime ‘${fn.runtime}’ of ${fn.name} is not supported`);
    }
    if (typeof args !== 'string')
      throw new AgentError('FUNCTION_INVALID', `the job’s arguments are too long: ${args.bytes} bytes`);
    const loader = LOADERS[language];
    const event = loader.parsesArguments ? args : await this.#events.encode(args);
    const nonce = (await this.#nonce(folder)) ?? randomBytes(16).toString('hex');
    const manifest = { nonce, code: loader.code, event: loader.event, resultLimit: RESULT_LIMIT };
    const program = await withStorageErrors(folder, () => readFileSync(loader.program, 'utf8'));
    await withStorageErrors(folder, () =>
      replaceFolder(folder, {
        [loader.code]: code,
        [loader.event]: event,
        [MANIFEST]: JSON.stringify(manifest),
      }),
    );
    const env = { CODE: program, SHAREDCLOUD_INPUT: JOB_INPUT_PATH, ...loader.env(fn.runtime) };
    return { inputDir: folder, env };
  }

  async output(job: string, watch?: OutputSink): Promise<OutputCollector> {
    const folder = this.#folder(job);
    const nonce = await this.#nonce(folder);
    if (nonce === undefined) {
      throw new AgentError('STATE_DIR_UNUSABLE', `the files of job ${job} are missing in ${folder}`, {
        hint: 'do not change the state directory',
      });
    }
    return new JobOutput(nonce, watch);
  }

  async remove(job: string): Promise<void> {
    const folder = this.#folder(job);
    await withStorageErrors(folder, () => {
      removeFolder(folder);
      removeFolder(draftOf(folder));
    });
  }

  async list(): Promise<readonly string[]> {
    const names = await withStorageErrors(this.#root, () => ifExists(readdir(this.#root)));
    // A crash may leave a draft of a folder.
    const jobs = new Set((names ?? []).map((name) => name.replace(/\.new$/, '')));
    return [...jobs].filter((name) => JOB_NAME.test(name));
  }

  async tryWriting(): Promise<void> {
    const file = join(this.#root, TEST_FILE);
    await withStorageErrors(this.#root, async () => {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
      try {
        await writeFile(file, randomBytes(TEST_BYTES), { flush: true });
      } finally {
        await rm(file, { force: true });
      }
    });
  }

  #folder(job: string): string {
    if (!JOB_NAME.test(job)) {
      throw new AgentError(
        'BROKER_BAD_ANSWER',
        `${JSON.stringify(job.slice(0, 200))} is not a valid job uuid`,
        { hint: 'report it to the broker’s operator' },
      );
    }
    return join(this.#root, job);
  }

  /** The nonce of an earlier layout of the job, if any. */
  async #nonce(folder: string): Promise<string | undefined> {
    const file = join(folder, MANIFEST);
    const read = (): string | undefined => (isThere(file) ? readFileSync(file, 'utf8') : undefined);
    const text = await withStorageErrors(folder, read);
    return /"nonce":"([0-9a-f]{32})"/.exec(text ?? '')?.[1];
  }
}

function draftOf(folder: string): string {
  return `${folder}.new`;
}

/** Replaces a folder at once, so that it is never incomplete. */
async function replaceFolder(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const draft = draftOf(folder);
  removeFolder(draft);
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  // In parallel, so that the disk syncs them together.
  const written = Object.entries(files).map(async ([name, content]) => {
    await writeFile(join(draft, name), content, { flush: true });
    // Readable by the container's user whatever our umask is.
    chmodSync(join(draft, name), 0o444);
  });
  // Settled, because no file may be written while the folder is removed after another's failure.
  for (const end of await Promise.allSettled(written)) if (end.status === 'rejected') throw end.reason;
  chmodSync(draft, 0o555);
  removeFolder(folder);
  renameSync(draft, folder);
}

/** Removes a folder, which must be writable for that. */
function removeFolder(folder: string): void {
  if (!isThere(folder)) return;
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function ifExists<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

async function withStorageErrors<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw asStorageError(cause, path);
  }
}
