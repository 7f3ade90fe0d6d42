import { expect, test } from 'vitest';
import { hostOomFault } from '../../../../src/agent/jobs/oom-detector.ts';

const KILLED = { code: 137, oomKilled: false };

test.each([
  ['killed while the kernel’s count rose', 3, 4, KILLED, true],
  ['killed while it did not', 3, 3, KILLED, false],
  ['killed by its own limit', 3, 4, { code: 137, oomKilled: true }, false],
  ['that ended by itself while another was killed', 3, 4, { code: 1, oomKilled: false }, false],
  ['killed where the kernel does not count', undefined, undefined, KILLED, false],
  ['killed where the kernel has begun to count since its start', undefined, 4, KILLED, false],
])('a job %s (%s to %s): %o blames the host: %s', (_, before, now, exit, isHosts) => {
  expect(hostOomFault(exit, before, now) !== undefined).toBe(isHosts);
});
