import { type AgentError, asAgentError, ERROR_KINDS } from '../domain/errors.ts';
import { describeError } from '../lib/describe-error.ts';
import { escapeControls } from '../lib/escape.ts';
import type { Writer } from './command.ts';
import { linesOf, type Page } from './lines.ts';

const INDENT = '  ';

/** The text and the exit code of an error that ended a command. Accepts anything that was thrown. */
export function failure(
  thrown: unknown,
  { json, stderr }: { readonly json: boolean; readonly stderr: Writer },
): { readonly text: string; readonly exit: number } {
  const error = asAgentError(thrown);
  // Lines are broken for a terminal only, because programs read them whole.
  const page = {
    redact: (text: string) => stderr.redact(text),
    columns: stderr.isTerminal ? stderr.columns : Infinity,
  };
  return {
    text: json ? asJson(error) : asText(error, page),
    exit: error.exit,
  };
}

function asJson(error: AgentError): string {
  const { code, message, exit } = error;
  return `${JSON.stringify({ error: { code, message, hint: hintOf(error), exit } })}\n`;
}

function asText(error: AgentError, page: Page): string {
  const { cause } = describeError(error);
  const [head = '', ...details] = `error ${error.code}: ${error.message}`.split('\n');
  const stack = error.code === 'INTERNAL' ? (cause?.stack ?? error.stack ?? '').split('\n') : [];
  const [first = '', ...rest] = linesOf(head, page);
  const below = [...rest, ...details, `hint: ${hintOf(error)}`].flatMap((line) =>
    linesOf(line, page, INDENT.length),
  );
  return [first, ...below.map((line) => `${INDENT}${line}`), ...stack.map(escapeControls)]
    .map((line) => `${line}\n`)
    .join('');
}

function hintOf({ code, hint }: AgentError): string {
  return hint ?? ERROR_KINDS[code].hint;
}
