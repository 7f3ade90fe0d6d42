import { expect, test } from 'vitest';
import { JobTermination } from '../../../../src/agent/jobs/termination.ts';

test.each([
  ['less', 0, 0],
  ['more', 900, 500],
])('an eviction with %s time after another leaves the shorter one', (_, graceMs, left) => {
  using end = new JobTermination(new AbortController().signal);
  end.evict('wanted', { graceMs: 500 });
  end.hurry(graceMs);
  expect(end.reason).toMatchObject({ kind: 'evicted', why: 'wanted', byOwner: { graceMs: left } });
});

test('an eviction by this host, and what is no eviction, have no time to shorten', () => {
  using end = new JobTermination(new AbortController().signal);
  end.hurry(0);
  expect(end.reason).toBeUndefined();
  end.evict('no memory');
  end.hurry(0);
  expect(end.reason).toMatchObject({ kind: 'evicted', byOwner: undefined });
});
