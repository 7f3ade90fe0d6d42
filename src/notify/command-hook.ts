import { AgentError } from '../domain/errors.ts';
import type { NotificationMessage, NotificationTarget } from '../domain/ports/notifications.ts';
import { cut } from '../lib/cut.ts';
import { escapeControls } from '../lib/escape.ts';
import { PROGRAM_NOT_FOUND, ProgramError, type ProgramResult, runProgram } from '../lib/process.ts';
import { LIMITS } from '../limits.ts';
import { payloadOf } from './payload.ts';

const DEADLINE_MS = 30_000;
/** A hook may leave something running that holds its output; its exit code is the answer. */
const LINGER_MS = 500;
/** Where the program is looked up. It has none of the agent’s variables, of which one may be a secret. */
export const HOOK_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program of the owner for each message, without a shell between. */
export class CommandHook implements NotificationTarget {
  readonly name = 'command';
  readonly address: string;
  readonly #deadlineMs: number;

  constructor(program: string, deadlineMs = DEADLINE_MS) {
    this.address = program;
    this.#deadlineMs = deadlineMs;
  }

  async send(message: NotificationMessage, signal: AbortSignal): Promise<void> {
    const { id, isTest, kind, state, text, title } = message;
    const ended = await this.#run(`${payloadOf(message)}\n`, signal, {
      PATH: HOOK_PATH,
      SHAREDCLOUD_NOTIFY_ID: id,
      SHAREDCLOUD_NOTIFY_KIND: kind,
      SHAREDCLOUD_NOTIFY_STATE: state,
      SHAREDCLOUD_NOTIFY_TEST: String(isTest),
      SHAREDCLOUD_NOTIFY_TITLE: title,
      SHAREDCLOUD_NOTIFY_TEXT: text,
    });
    if (ended.code === 0) return;
    const [said = ''] = ended.stderr.trim().split('\n');
    throw this.#failed(
      ended.code === PROGRAM_NOT_FOUND
        ? 'is not there, or a program that it runs'
        : `ended with ${ended.code}${said === '' ? '' : `: ${cut(escapeControls(said), LIMITS.notify.text.max)}`}`,
    );
  }

  async #run(
    input: string,
    signal: AbortSignal,
    env: Readonly<Record<string, string>>,
  ): Promise<ProgramResult> {
    try {
      return await runProgram(this.address, [], {
        deadlineMs: this.#deadlineMs,
        lingerMs: LINGER_MS,
        input,
        env,
        maxOutputBytes: LIMITS.notify.hookOutput.max,
        signal,
      });
    } catch (thrown) {
      if (thrown instanceof ProgramError) throw this.#failed(thrown.message);
      throw thrown;
    }
  }

  #failed(why: string): AgentError {
    return new AgentError('NOTIFICATION_FAILED', `${this.address} ${why}`, {
      hint: 'run it by hand as the agent’s user; in the service it has a read-only file system and no home',
    });
  }
}
