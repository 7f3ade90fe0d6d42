import type { CliContext } from '../command.ts';
import { linesOf } from '../lines.ts';
import type { Prompts, Tone } from '../prompts/prompts.ts';

/** How setup talks: with the person at the terminal, or, with --yes, only by lines on stderr. */
export type Conversation = {
  /** Undefined: nothing is asked. */
  readonly prompts: Prompts | undefined;
  readonly say: (text: string, tone?: Tone) => void;
  readonly note: (title: string, text: string) => void;
};

const MARKS: Readonly<Record<Tone, string>> = { plain: '', ok: '', warn: 'warning: ', error: 'error: ' };

/** Talks through `prompts`, or on stderr. */
export function conversation({ stderr }: CliContext, prompts: Prompts | undefined): Conversation {
  if (prompts !== undefined)
    return {
      prompts,
      say: (text, tone) => prompts.say(text, tone),
      note: (title, text) => prompts.note(title, text),
    };
  const say = (text: string, tone: Tone = 'plain'): void => {
    for (const line of `${MARKS[tone]}${text}`.split('\n'))
      stderr.write(`${linesOf(line, stderr).join('\n')}\n`);
  };
  return { prompts, say, note: (title, text) => say(`${title}:\n${text}`) };
}
