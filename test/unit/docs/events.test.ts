import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../../scripts/docs/documents.ts';
import { documentedEvents } from '../../../scripts/docs/events.ts';

const names = documentedEvents().map(([name]) => name);

test('every event that a part of the agent logs is documented', () => {
  const logged = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((file) =>
    Array.from(
      readFileSync(join(ROOT, file), 'utf8').matchAll(/\bevent: '([a-z]+(?:-[a-z]+)+)'/g),
      ([, name]) => name,
    ),
  );
  expect(logged.filter((name) => name !== undefined && !names.includes(name))).toEqual([]);
  expect(logged.length).toBeGreaterThan(10);
});

test('every documented event is in the sources, and once in the table', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  expect(names.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});
