/** Escapes text for roff: none of it is an instruction, and dashes stay ASCII. */
export function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replace(/^(?=[.'])/gm, '\\&');
}

/** Escaped and bold. */
export function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** Escaped and in italics. */
export function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** A section. Its paragraphs are roff already. */
export function section(title: string, ...paragraphs: readonly string[]): string {
  return [`.SH ${title}`, ...paragraphs].join('\n');
}

/** A tagged paragraph. Both parts are roff already. */
export function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${text}`;
}
