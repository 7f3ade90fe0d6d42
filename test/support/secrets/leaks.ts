import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What somebody could look into, by name; texts byte for byte (latin1) where they are no text. */
export type Seen = Readonly<Record<string, string>>;

/** The token as people and programs write it. Independent of how the agent itself looks for it. */
function writingsOf(token: string): readonly string[] {
  const base64 = ['', 'T', 'To'].map((before) => {
    // Each 3 bytes become 4 characters: of those, the ones that only the token decides.
    const whole = Buffer.from(`${before}${token}`).toString('base64');
    return whole.slice(before === '' ? 0 : 4, whole.length - 4);
  });
  const json = JSON.stringify(token).slice(1, -1);
  return [token, json, encodeURIComponent(token), ...base64].flatMap((form) => [
    form,
    form.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

/** The names of what the token can be found in, in any writing. */
export function leaksOf(token: string, seen: Seen): readonly string[] {
  const writings = writingsOf(token);
  return Object.entries(seen).flatMap(([name, text]) =>
    writings.some((writing) => text.includes(writing)) ? [name] : [],
  );
}

/** Every file below a directory, by its path there. */
export function filesIn(directory: string): Seen {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );
}
