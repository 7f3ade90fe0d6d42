import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Xid } from '../../../src/domain/xid.ts';
import { JournalctlLog } from '../../../src/host/kernel-log.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { journalctlStandIn } from '../../support/journalctl/stand-in.ts';

const XID_79 = 'NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.';

/** The process ids of the stand-in's calls. */
async function processesOf(program: string): Promise<readonly number[]> {
  const calls = await readFile(`${program}.calls`, 'utf8').catch(() => '');
  return calls.split('\n').flatMap((line) => (line === '' ? [] : [Number.parseInt(line, 10)]));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the kernel’s log', () => {
  test('delivers only Xids, and leaves no process behind', async () => {
    await using journal = await journalctlStandIn();
    const seen: Xid[] = [];
    const over = new AbortController();
    const following = new JournalctlLog(journal.program).follow((xid) => seen.push(xid), over.signal);
    // Lines from before journalctl follows the log are lost.
    await vi.waitFor(async () => {
      await journal.say('usb 1-1: new device');
      await journal.say(XID_79);
      expect(seen).not.toEqual([]);
    }, 10_000);
    expect(new Set(seen.map(({ number }) => number))).toEqual(new Set([79]));
    over.abort();
    await following;
    const [pid = 0] = await processesOf(journal.program);
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
  });

  test('kills a journalctl that does not end by itself', async () => {
    await using journal = await journalctlStandIn('clings to life');
    const over = new AbortController();
    const following = new JournalctlLog(journal.program).follow(() => undefined, over.signal);
    await vi.waitFor(async () => expect(await processesOf(journal.program)).toHaveLength(1), 10_000);
    over.abort();
    await following;
    const [pid = 0] = await processesOf(journal.program);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
  });

  test('resolves if journalctl ends, so that it can be followed again', async () => {
    await using journal = await journalctlStandIn('ends at once');
    const never = new AbortController().signal;
    await expect(new JournalctlLog(journal.program).follow(() => undefined, never)).resolves.toBeUndefined();
  });

  test.each(['may not read', 'sees only its own'] as const)(
    'is unreadable for a user who %s, with a hint',
    async (misbehaviour) => {
      await using journal = await journalctlStandIn(misbehaviour);
      const log = new JournalctlLog(journal.program);
      const never = new AbortController().signal;
      for (const read of [() => log.follow(() => undefined, never), () => log.check(never)]) {
        const { code, hint } = await rejection(read());
        expect([code, hint]).toEqual(['KERNEL_LOG_UNREADABLE', expect.any(String)]);
      }
    },
  );

  test('is unreadable on a host without journalctl', async () => {
    const log = new JournalctlLog('no-such-journalctl');
    const { code } = await rejection(log.follow(() => undefined, new AbortController().signal));
    expect(code).toBe('KERNEL_LOG_UNREADABLE');
  });

  test('can be checked without following it', async () => {
    await using journal = await journalctlStandIn();
    await expect(
      new JournalctlLog(journal.program).check(new AbortController().signal),
    ).resolves.toBeUndefined();
  });
});
