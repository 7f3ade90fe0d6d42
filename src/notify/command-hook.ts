import { AgentError } from '../domain/errors.ts';
import type { NotificationMessage, NotificationTarget } from '../domain/ports/notifications.ts';
import { runOwnerProgram } from '../lib/owner-program.ts';
import { LIMITS } from '../limits.ts';
import { payloadOf } from './payload.ts';

const DEADLINE_MS = 30_000;

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
    await runOwnerProgram({
      program: this.address,
      deadlineMs: this.#deadlineMs,
      maxOutputBytes: LIMITS.notify.hookOutput.max,
      input: `${payloadOf(message)}\n`,
      variables: {
        SHAREDCLOUD_NOTIFY_ID: id,
        SHAREDCLOUD_NOTIFY_KIND: kind,
        SHAREDCLOUD_NOTIFY_STATE: state,
        SHAREDCLOUD_NOTIFY_TEST: String(isTest),
        SHAREDCLOUD_NOTIFY_TITLE: title,
        SHAREDCLOUD_NOTIFY_TEXT: text,
      },
      signal,
      failed: (why) =>
        new AgentError('NOTIFICATION_FAILED', `${this.address} ${why}`, {
          hint: 'run it by hand as the agent’s user; in the service it has a read-only file system and no home',
        }),
    });
  }
}
