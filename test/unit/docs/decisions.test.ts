import { describe, expect, test } from 'vitest';
import { readDocument, readDocuments } from '../../support/docs/markdown.ts';

const FOLDER = 'docs/decisions/';
const pages = (await readDocuments()).filter(({ path }) => path.startsWith(`${FOLDER}0`));

describe('decisions', () => {
  test('are numbered without a gap', () => {
    const numbers = pages.map(({ path }) => Number(path.slice(FOLDER.length, FOLDER.length + 4)));
    expect(numbers).toEqual(pages.map((_, index) => index + 1));
  });

  test.each(pages)('$path stands in the index under its own title', ({ path, text }) => {
    const name = path.slice(FOLDER.length);
    const title = /^# (.+)$/m.exec(text)?.[1] ?? '';
    expect(title.startsWith(`${name.slice(0, 4)} `)).toBe(true);
    expect(readDocument(`${FOLDER}README.md`).text).toContain(`[${title}](${name})`);
  });

  test.each(pages)('$path says what was decided, why, and what it costs', ({ text }) => {
    for (const heading of ['Decision', '(Why|Context)', '(What it costs|Consequences)'])
      expect(text).toMatch(new RegExp(`^## ${heading}$`, 'm'));
  });
});
