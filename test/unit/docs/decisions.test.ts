import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../support/docs/markdown.ts';

const FOLDER = 'docs/decisions/';
const pages = (await readDocuments()).filter(({ path }) => path.startsWith(`${FOLDER}0`));

describe('decisions', () => {
  test('have a number each', () => {
    const numbers = pages.map(({ path }) => path.slice(FOLDER.length, FOLDER.length + 4));
    expect(new Set(numbers).size).toBe(pages.length);
  });

  test.each(pages)('$path has its number in its title, a status and a date', ({ path, text }) => {
    const number = path.slice(FOLDER.length, FOLDER.length + 4);
    expect(text).toMatch(new RegExp(`^# ${number} .+\\n\\n- Status: .+\\n- Date: 20\\d\\d-\\d\\d-\\d\\d\\n`));
  });

  test.each(pages)('$path has context, decision and consequences, in that order', ({ text }) => {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Context', 'Decision', 'Consequences']);
  });
});
