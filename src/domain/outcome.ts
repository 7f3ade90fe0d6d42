import { JOB_STATUS, type Report } from './job.ts';
import type { Output } from './ports/job-files.ts';
import type { Exit } from './ports/runtime.ts';

/** What ended a job that ran: its own exit, its deadline, or a limit that it broke. */
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

/** The kernel's signal to who writes a file beyond the limit of its size. */
export const SIGXFSZ = 25;

/**
 * The report of a job that ran. SUCCEEDED takes both a handler that returned and an exit code of 0; why a job
 * failed stands on a last line of stderr, marked as ours.
 */
export function reportOf(ending: Ending, output: Output, buildLogs: string): Report {
  const { stdout, stderr } = output;
  if (ending.kind === 'exited' && ending.exit.code === 0 && output.result !== undefined) {
    return { status: JOB_STATUS.SUCCEEDED, buildLogs, stdout, stderr, result: output.result };
  }
  const status = ending.kind === 'deadline' ? JOB_STATUS.TIMEOUT : JOB_STATUS.FAILED;
  return { status, buildLogs, stdout, stderr: withNote(stderr, whyItEnded(ending)), result: '' };
}

/** The report of a job that could not be started through its own fault: the function's, its arguments' or its image's. */
export function reportOfUnstartable(why: string, buildLogs: string): Report {
  return { status: JOB_STATUS.FAILED, buildLogs, stdout: '', stderr: withNote('', why), result: '' };
}

function withNote(stderr: string, note: string): string {
  const gap = stderr === '' || stderr.endsWith('\n') ? '' : '\n';
  return `${stderr}${gap}[sharedcloud-agent] ${note}\n`;
}

function whyItEnded(ending: Ending): string {
  if (ending.kind === 'deadline') return `stopped: it ran longer than ${ending.timeoutMs / 1000} s`;
  if (ending.kind === 'limit') return `stopped: ${ending.what}`;
  const { code, oomKilled } = ending.exit;
  if (oomKilled) return 'killed: it used more memory than a job may have here';
  if (code === 128 + SIGXFSZ) return 'killed: it wrote a larger file than a job may have here';
  if (code === 0) return 'ended with exit code 0 before the handler returned';
  const signal = code > 128 ? SIGNALS[code - 128] : undefined;
  return signal === undefined ? `ended with exit code ${code}` : `ended by ${signal} (exit code ${code})`;
}
