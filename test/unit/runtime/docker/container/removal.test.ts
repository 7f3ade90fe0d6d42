import { expect, test } from 'vitest';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const LAYER = `/var/lib/docker/overlay2/${'0'.repeat(64)}`;

test.each([
  [`openfdat ${LAYER}/diff/tmp${'/d'.repeat(30_000)}: too many open files`, `sudo rm -rf ${LAYER}/diff && `],
  // A job cannot put a command of its own there.
  [`openfdat /x$(id)/overlay2/${'0'.repeat(64)}/diff/d: too many open files`, 'find what holds it'],
  ['device or resource busy', 'find what holds it'],
])('a removal that fails with %j has a hint that works', async (why, hint) => {
  await using engine = await scriptedEngine(() => ({
    status: 500,
    message: `driver "overlay2" failed to remove root filesystem: ${why}`,
  }));
  const { runtime } = testRuntime(engine.host);
  const error = await rejection(runtime.remove('4f38149472f8baec'));
  expect(error.code).toBe('RUNTIME_FAILED');
  expect(error.hint).toContain(hint);
  expect(error.hint).toContain('docker rm -f 4f38149472f8');
});
