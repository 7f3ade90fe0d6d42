import { JOB_STATUS, type Report } from './job.ts';
import type { Output } from './ports/job-files.ts';
import type { Exit } from './ports/runtime.ts';

/** How a job ended: its own exit, its deadline, or a limit that it exceeded. */
export type Ending =
  | { readonly kind: 'exited'; readonly exit: Pick<Exit, 'code' | 'oomKilled'> }
  | { readonly kind: 'deadline'; readonly timeoutMs: number }
  | { readonly kind: 'limit'; readonly what: string };

const SIGNALS: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** The kernel's signal to a process that exceeds the file size limit. */
export const SIGXFSZ = 25;

/**
 * The report of a job that ran. SUCCEEDED needs a handler that returned and exit code 0. The reason for any other status
 * is appended to stderr as a marked line.
 */
export function reportOf(ending: Ending, output: Output, buildLogs: string): Report {
  const { stdout, stderr } = output;
  if (ending.kind === 'exited' && ending.exit.code === 0 && output.result !== undefined) {
    return { status: JOB_STATUS.SUCCEEDED, buildLogs, stdout, stderr, result: output.result };
  }
  const status = ending.kind === 'deadline' ? JOB_STATUS.TIMEOUT : JOB_STATUS.FAILED;
  return { status, buildLogs, stdout, stderr: withNote(stderr, reasonOf(ending)), result: '' };
}

/** The report of a job whose function, arguments or image cannot be started. */
export function reportOfUnstartable(why: string, buildLogs: string): Report {
  return { status: JOB_STATUS.FAILED, buildLogs, stdout: '', stderr: withNote('', why), result: '' };
}

const MARK = '[sharedcloud-agent] ';

/** What the agent says in a report about the end of the job; undefined for a job that succeeded. */
export function noteOf({ status, stderr }: Report): string | undefined {
  if (status === JOB_STATUS.SUCCEEDED || !stderr.endsWith('\n')) return undefined;
  const line = stderr.slice(stderr.lastIndexOf('\n', stderr.length - 2) + 1, -1);
  return line.startsWith(MARK) ? line.slice(MARK.length) : undefined;
}

function withNote(stderr: string, note: string): string {
  const gap = stderr === '' || stderr.endsWith('\n') ? '' : '\n';
  return `${stderr}${gap}${MARK}${note}\n`;
}

function reasonOf(ending: Ending): string {
  if (ending.kind === 'deadline') return `stopped: it ran longer than ${ending.timeoutMs / 1000} s`;
  if (ending.kind === 'limit') return `stopped: ${ending.what}`;
  const { code, oomKilled } = ending.exit;
  if (oomKilled) return 'killed: it used more memory than a job may have here';
  if (code === 128 + SIGXFSZ) return 'killed: it wrote a larger file than a job may have here';
  if (code === 0) return 'ended with exit code 0 before the handler returned';
  const signal = code > 128 ? SIGNALS[code - 128] : undefined;
  return signal === undefined ? `ended with exit code ${code}` : `ended by ${signal} (exit code ${code})`;
}

/** The build logs of a report; `image` is the image's digest or id. */
export function buildLogs(image: string): string {
  return `image ${image}\n`;
}
