import { StringDecoder } from 'node:string_decoder';
import { Cancelled } from './prompts.ts';
import type { Terminal } from './terminal.ts';

/** More is no password and no token. */
const MAX_CHARACTERS = 4096;

const ESCAPE = '\u001B';

/** What typed and pasted characters make of the text so far; pure. `end`: Enter, `cancel`: Ctrl-C, or Ctrl-D on nothing. */
export function typed(
  before: string,
  characters: string,
): { readonly text: string; readonly ended?: 'end' | 'cancel' } {
  let text = before;
  for (const character of withoutKeys(characters)) {
    if (character === '\r' || character === '\n') return { text, ended: 'end' };
    if (character === '\u0003') return { text: '', ended: 'cancel' };
    if (character === '\u0004') return text === '' ? { text, ended: 'cancel' } : { text, ended: 'end' };
    if (character === '\u007F' || character === '\b') text = text.replace(/.$/su, '');
    else if (character === '\u0015') text = '';
    else if (character >= ' ' && text.length < MAX_CHARACTERS) text += character;
  }
  return { text };
}

/** Without keys such as arrows, and without what terminals put around a paste. */
function withoutKeys(characters: string): string {
  const [first = '', ...rest] = characters.split(ESCAPE);
  return [first, ...rest.map((one) => one.replace(/^(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)/s, ''))].join('');
}

/** Shows the prompt and reads a line that the terminal does not show. Throws Cancelled. */
export async function readHidden({ input, output }: Terminal, prompt: string): Promise<string> {
  const decoder = new StringDecoder('utf8');
  // Before the prompt, so that nobody types too early.
  input.setRawMode(true);
  output.write(prompt);
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = '';
      const settle = (work: () => void): void => {
        input.off('data', onData);
        input.off('end', onEnd);
        work();
      };
      const onEnd = (): void => settle(() => reject(new Cancelled()));
      const onData = (bytes: Buffer): void => {
        const { ended, text: now } = typed(text, decoder.write(bytes));
        text = now;
        if (ended === 'end') settle(() => resolve(text));
        if (ended === 'cancel') settle(() => reject(new Cancelled()));
      };
      input.on('data', onData);
      input.on('end', onEnd);
      input.resume();
    });
  } finally {
    input.pause();
    input.setRawMode(false);
    output.write('\n');
  }
}
