const NAMED: ReadonlyMap<string, string> = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

/**
 * A text made safe for a terminal: control characters, invisible formatting (which can turn the direction of
 * what follows) and halves of a character are shown as `\u{1b}` instead of doing something.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => NAMED.get(character) ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
