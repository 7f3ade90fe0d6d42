/** Text as roff takes it: nothing in it is an instruction, and dashes stay what one types. */
export function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replace(/^(?=[.'])/gm, '\\&');
}

/** In bold; escapes it. */
export function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** In italics; escapes it. */
export function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** A section with its paragraphs, which are roff already. */
export function section(title: string, ...paragraphs: readonly string[]): string {
  return [`.SH ${title}`, ...paragraphs].join('\n');
}

/** A paragraph behind a tag; both are roff already. */
export function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${text}`;
}
