import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toolkitVersion } from '../../../src/gpu/toolkit-version.ts';
import { toolkitOf } from '../../support/gpu/toolkit.ts';

test.each([
  ['1.19.1', '1.19.1'],
  ['1.17.8-1', '1.17.8'],
  ['1.20.0-rc.2', '1.20.0'],
])('of a toolkit that says %s it is %s', async (said, version) => {
  await using toolkit = await toolkitOf(said);
  expect(await toolkitVersion(join(toolkit.directory, 'nvidia-ctk'))).toBe(version);
});

test.each([
  ['fails', '#!/bin/sh\necho version 1.19.1\nexit 3\n'],
  ['says something else', '#!/bin/sh\necho hello\n'],
  ['says nothing', '#!/bin/sh\n'],
])('of a toolkit that %s is not known', async (_, script) => {
  await using toolkit = await toolkitOf('1.19.1');
  const program = join(toolkit.directory, 'nvidia-ctk');
  await writeFile(program, script);
  expect(await toolkitVersion(program)).toBeUndefined();
});

test('of a toolkit that is not there is not known', async () => {
  expect(await toolkitVersion('/no/such/nvidia-ctk')).toBeUndefined();
});
