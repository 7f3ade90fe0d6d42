import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { mutate } from '../../../scripts/mutations/mutation.ts';
import { MUTATIONS } from '../../mutations/all.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

test('every mutation changes its file', () => {
  const broken = MUTATIONS.flatMap((mutation) => {
    const content = read(mutation.file);
    const found = content.split(mutation.text).length - 1;
    if (found === 1 && mutate(content, mutation) !== content) return [];
    return [`${mutation.file} has this ${found} times: ${mutation.text}`];
  });
  expect(broken).toEqual([]);
});

test('every test that is to catch one is there', () => {
  const missing = MUTATIONS.filter(({ test }) => {
    const text = read(test.file).replaceAll("\\'", "'");
    // A suite's name may stand before the test's own.
    const words = test.name.split(' ');
    const starts = words.map((_, at) => [words.slice(0, at).join(' '), words.slice(at).join(' ')]);
    return !starts.some(([suite = '', name = '']) => text.includes(suite) && text.includes(`'${name}'`));
  });
  expect(missing.map(({ protection, test }) => [protection, test.name])).toEqual([]);
});

test('no protection is listed twice', () => {
  const listed = MUTATIONS.map(({ becomes, file, text }) => `${file}\n${text}\n${becomes}`);
  expect(new Set(listed).size).toBe(listed.length);
});
