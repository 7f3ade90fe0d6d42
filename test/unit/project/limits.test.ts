import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';

const SRC = join(import.meta.dirname, '../../../src');

test('each limit of the table is one that the code uses', () => {
  const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(SRC, file), 'utf8'))
    .join('\n');
  const unused = Object.entries(LIMITS).flatMap(([source, limits]) =>
    Object.keys(limits).filter((name) => !code.includes(`LIMITS.${source}.${name}.max`)),
  );
  expect(unused).toEqual([]);
});
