import { expect, test } from 'vitest';
import { type MemoryFacts, oomVerdict } from '../../../src/domain/oom.ts';
import { NO_MEMORY_FACTS } from '../../support/agent/memory-monitor.ts';

const OWN = { code: 137, oomKilled: true };
const KILLED = { code: 137, oomKilled: false };

test.each<[string, typeof OWN, Partial<MemoryFacts>, string | undefined]>([
  ['out of memory on cgroup v1', OWN, { kernelKills: 1 }, 'job'],
  ['out of memory on cgroup v1, host short', OWN, { wasShort: true }, 'job'],
  [
    'out of memory on cgroup v2, limit reached',
    OWN,
    { unified: true, cgroup: { limitsReached: 1, kills: 1 } },
    'job',
  ],
  [
    'out of memory on cgroup v2, no limit reached',
    OWN,
    { unified: true, cgroup: { limitsReached: 0, kills: 1 } },
    'host',
  ],
  ['out of memory on cgroup v2 without counters', OWN, { unified: true }, 'job'],
  ['the same, host short', OWN, { unified: true, wasShort: true }, 'perhaps-host'],
  [
    'killed, limit reached: a child’s end that the engine did not see',
    KILLED,
    { kernelKills: 1, cgroup: { limitsReached: 1, kills: 1 } },
    'job',
  ],
  ['killed by the kernel', KILLED, { kernelKills: 1 }, 'host'],
  [
    'killed by the kernel, no limit reached',
    KILLED,
    { kernelKills: 1, cgroup: { limitsReached: 0, kills: 1 } },
    'host',
  ],
  ['killed while the host was short, as by earlyoom', KILLED, { kernelKills: 0, wasShort: true }, 'host'],
  [
    'terminated while the host was short, as by earlyoom',
    { code: 143, oomKilled: false },
    { wasShort: true },
    'host',
  ],
  ['killed', KILLED, { kernelKills: 0 }, undefined],
  ['killed where nothing is known', KILLED, {}, undefined],
  [
    'failed while the host was short',
    { code: 1, oomKilled: false },
    { kernelKills: 1, wasShort: true },
    undefined,
  ],
])('%s', (_, exit, facts, verdict) => {
  expect(oomVerdict(exit, { ...NO_MEMORY_FACTS, ...facts })).toBe(verdict);
});
