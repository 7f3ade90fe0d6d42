import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toolkitVersion } from '../../../src/gpu/toolkit-version.ts';
import { toolkitOf } from '../../support/gpu/toolkit.ts';

test.each([
  ['1.19.1', '1.19.1'],
  ['1.17.8-1', '1.17.8'],
  ['1.20.0-rc.2', '1.20.0'],
])('reads the version %s as %s', async (said, version) => {
  await using toolkit = await toolkitOf(said);
  expect(await toolkitVersion(join(toolkit.directory, 'nvidia-ctk'))).toBe(version);
});

test.each([
  ['fails', '#!/bin/sh\necho version 1.19.1\nexit 3\n'],
  ['prints something else', '#!/bin/sh\necho hello\n'],
  ['prints nothing', '#!/bin/sh\n'],
])('is unknown if the toolkit %s', async (_, script) => {
  await using toolkit = await toolkitOf('1.19.1');
  const program = join(toolkit.directory, 'nvidia-ctk');
  await writeFile(program, script);
  expect(await toolkitVersion(program)).toBeUndefined();
});

test('is unknown without the toolkit', async () => {
  expect(await toolkitVersion('/no/such/nvidia-ctk')).toBeUndefined();
});
