const NAMED: ReadonlyMap<string, string> = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

/**
 * Makes a text safe for a terminal: control characters, invisible formatting (which can reverse the text that follows)
 * and unpaired surrogates are shown as `\u{1b}` and have no effect.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => NAMED.get(character) ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
