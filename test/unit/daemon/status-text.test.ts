import { expect, test } from 'vitest';
import { StatusText } from '../../../src/daemon/status-text.ts';

test('names what the owner keeps from new jobs, by reason, until it is released', () => {
  const status = new StatusText();
  const before = status.text;
  const hold = { kind: 'manual', why: 'paused by ada' } as const;
  for (const target of ['cpu', 'GPU-11111111-aaaa-4bbb-8ccc-111111111111'])
    status.observe({ kind: 'target-held', target, hold });
  expect(status.text).toContain('cpu, GPU-11111111 (paused by ada)');
  for (const target of ['cpu', 'GPU-11111111-aaaa-4bbb-8ccc-111111111111'])
    status.observe({ kind: 'target-released', target });
  expect(status.text).toBe(before);
});
