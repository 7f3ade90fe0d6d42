import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machineId } from '../../../src/host/machine-id.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const ID = '0123456789abcdef0123456789abcdef';

function root(files: Readonly<Record<string, string>>): string {
  const path = scratchDir();
  for (const folder of ['etc', 'run']) mkdirSync(join(path, folder));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

test('tells machines apart, and not their ids', () => {
  const one = machineId(root({ 'etc/machine-id': `${ID}\n` }));
  expect(one).toMatch(/^[0-9a-f]{32}$/);
  expect(one).not.toContain(ID);
  expect(machineId(root({ 'etc/machine-id': ID }))).toBe(one);
  expect(machineId(root({ 'etc/machine-id': ID.replace('0', '1') }))).not.toBe(one);
});

test.each([
  ['absent', {}],
  ['empty, as in images', { 'etc/machine-id': '' }],
  ['not set yet', { 'etc/machine-id': 'uninitialized\n' }],
  ['made up at each boot', { 'etc/machine-id': ID, 'run/machine-id': ID }],
])('is unknown where it is %s', (_, files) => {
  expect(machineId(root(files))).toBeUndefined();
});
