import { describe, expect, test } from 'vitest';
import { HostOomDetector } from '../../../../src/agent/jobs/oom-detector.ts';

const KILLED = { code: 137, oomKilled: false };

describe('whose lack of memory it was', () => {
  test.each([
    ['killed while the kernel’s count rose: the host’s', 3, 4, KILLED, true],
    ['killed while it did not', 3, 3, KILLED, false],
    ['killed by its own limit', 3, 4, { code: 137, oomKilled: true }, false],
    ['ended by itself while another was killed', 3, 4, { code: 1, oomKilled: false }, false],
    ['where the kernel does not count', undefined, undefined, KILLED, false],
    ['where the kernel has begun to count since', undefined, 4, KILLED, false],
  ])('%s', (_, before, after, exit, isHosts) => {
    let kills: number | undefined = before;
    const watch = new HostOomDetector(() => kills);
    watch.jobStarted('job');
    kills = after;
    const fault = watch.fault('job', exit);
    if (isHosts) expect(fault).toContain('short of memory');
    else expect(fault).toBeUndefined();
  });

  test('a job is measured from its own beginning, and not after its end', () => {
    let kills = 1;
    const watch = new HostOomDetector(() => kills);
    watch.jobStarted('early');
    kills = 2;
    watch.jobStarted('late');
    expect(watch.fault('early', KILLED)).toBeDefined();
    expect(watch.fault('late', KILLED)).toBeUndefined();
    watch.jobEnded('early');
    expect(watch.fault('early', KILLED)).toBeUndefined();
  });
});
