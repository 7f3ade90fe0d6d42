import { Cancelled, type Choice, type Prompts } from '../../../src/cli/prompts/prompts.ts';

/** A person who answers questions in this order; one answer too few is Ctrl-C. */
export class Scripted implements Prompts {
  /** What was asked, and what was said in between. */
  readonly asked: string[] = [];
  readonly said: string[] = [];
  readonly #answers: (string | boolean)[];

  constructor(...answers: readonly (string | boolean)[]) {
    this.#answers = [...answers];
  }

  async text({ initial = '', message, validate }: Parameters<Prompts['text']>[0]): Promise<string> {
    const answer = String(this.#next(message)) || initial;
    const problem = validate?.(answer);
    if (problem !== undefined) this.said.push(problem);
    return problem === undefined ? answer : this.text({ message, initial, ...(validate && { validate }) });
  }

  secret(question: Parameters<Prompts['secret']>[0]): Promise<string> {
    return this.text(question);
  }

  async select<T extends string>({
    choices,
    initial,
    message,
  }: {
    readonly message: string;
    readonly choices: readonly Choice<T>[];
    readonly initial: T;
  }): Promise<T> {
    const answer = this.#next(message);
    const found = choices.find(({ value }) => value === answer);
    if (answer !== '' && found === undefined) throw new Error(`${message} has no choice ${answer}`);
    return found?.value ?? initial;
  }

  async confirm({ initial, message }: Parameters<Prompts['confirm']>[0]): Promise<boolean> {
    const answer = this.#next(message);
    return typeof answer === 'boolean' ? answer : initial;
  }

  say(text: string): void {
    this.said.push(text);
  }

  note(title: string, text: string): void {
    this.said.push(`${title}\n${text}`);
  }

  #next(message: string): string | boolean {
    this.asked.push(message);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Cancelled();
    return answer;
  }
}
