/** One of several answers. */
export type Choice<T> = { readonly value: T; readonly label: string; readonly hint?: string };

/** What is wrong with an answer; undefined: nothing. */
export type Validate = (text: string) => string | undefined;

/** The weight of a line that is said between the questions. */
export type Tone = 'plain' | 'ok' | 'warn' | 'error';

/** A conversation on the terminal. Every question throws Cancelled on Ctrl-C, and where the terminal is closed. */
export interface Prompts {
  /** A line of text; an empty answer is `initial`. */
  text(question: {
    readonly message: string;
    readonly initial?: string;
    readonly validate?: Validate;
  }): Promise<string>;
  /** A text that the terminal does not show. */
  secret(question: { readonly message: string; readonly validate?: Validate }): Promise<string>;
  select<T extends string>(question: {
    readonly message: string;
    readonly choices: readonly Choice<T>[];
    readonly initial: T;
  }): Promise<T>;
  confirm(question: { readonly message: string; readonly initial: boolean }): Promise<boolean>;
  /** Says something between two questions; may have several lines. */
  say(text: string, tone?: Tone): void;
  /** A text of several lines under a title, whose lines stay as they are as far as they fit. */
  note(title: string, text: string): void;
}

/** The person at the terminal has ended the conversation. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled');
    this.name = 'Cancelled';
  }
}
