import { type AgentError, asAgentError, ERROR_KINDS } from '../domain/errors.ts';
import { describeError } from '../lib/describe-error.ts';
import { escapeControls } from '../lib/escape.ts';

/** The text and the exit code of an error that ended a command. Accepts anything that was thrown. */
export function failure(thrown: unknown, json: boolean): { readonly text: string; readonly exit: number } {
  const error = asAgentError(thrown);
  return { text: json ? asJson(error) : asText(error), exit: error.exit };
}

function asJson(error: AgentError): string {
  const { code, message, exit } = error;
  return `${JSON.stringify({ error: { code, message, hint: hintOf(error), exit } })}\n`;
}

function asText(error: AgentError): string {
  const { cause } = describeError(error);
  const lines = [
    `error ${error.code}: ${error.message}`,
    `  hint: ${hintOf(error)}`,
    ...(error.code === 'INTERNAL' ? [cause?.stack ?? error.stack ?? ''] : []),
  ];
  return lines
    .flatMap((text) => text.split('\n'))
    .map((line) => `${escapeControls(line)}\n`)
    .join('');
}

function hintOf({ code, hint }: AgentError): string {
  return hint ?? ERROR_KINDS[code].hint;
}
