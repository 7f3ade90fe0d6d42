/**
 * Breaks a text into lines of at most `width` characters, at spaces where there are any. Every line has the indentation of
 * the text, unless that takes half of the width. Never an empty list.
 */
export function wrap(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text];
  const indent = /^ */.exec(text)?.[0] ?? '';
  if (indent !== '' && indent.length < width / 2)
    return wrap(text.slice(indent.length), width - indent.length).map((line) => `${indent}${line}`);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return [...lines, line];
}
