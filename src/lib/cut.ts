/**
 * At most `max` characters of a text; of a longer one its beginning, with a mark that says how long it was: `length`
 * characters, where the text is not all of it.
 */
export function cut(text: string, max: number, length: number = text.length): string {
  if (length <= max) return text;
  // A character outside of the basic plane is two; half of one is none.
  const end = /[\ud800-\udbff]/.test(text.charAt(max - 1)) ? max - 1 : max;
  return `${text.slice(0, end)}… (${length} characters)`;
}
