import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Xid } from '../../../src/domain/xid.ts';
import { JournalctlLog } from '../../../src/host/kernel-log.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { journalctlStandIn } from '../../support/journalctl/stand-in.ts';

const XID_79 = 'NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.';

/** The processes that the stand-in was, by their ids. */
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
  test('hands on Xids as they come, nothing else, and leaves no process behind', async () => {
    await using journal = await journalctlStandIn();
    const seen: Xid[] = [];
    const over = new AbortController();
    const following = new JournalctlLog(journal.program).follow((xid) => seen.push(xid), over.signal);
    // Until it is followed, nobody hears what is said.
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

  test('a reader that does not end by itself is ended', async () => {
    await using journal = await journalctlStandIn('clings to life');
    const over = new AbortController();
    const following = new JournalctlLog(journal.program).follow(() => undefined, over.signal);
    await vi.waitFor(async () => expect(await processesOf(journal.program)).toHaveLength(1), 10_000);
    over.abort();
    await following;
    const [pid = 0] = await processesOf(journal.program);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
  });

  test('a reader that ends settles it, so that it may be followed again', async () => {
    await using journal = await journalctlStandIn('ends at once');
    const never = new AbortController().signal;
    await expect(new JournalctlLog(journal.program).follow(() => undefined, never)).resolves.toBeUndefined();
  });

  test.each(['may not read', 'sees only its own'] as const)(
    'a user who %s is told which group is missing',
    async (misbehaviour) => {
      await using journal = await journalctlStandIn(misbehaviour);
      const log = new JournalctlLog(journal.program);
      const never = new AbortController().signal;
      for (const looking of [() => log.follow(() => undefined, never), () => log.look(never)]) {
        const { code, hint } = await rejection(looking());
        expect([code, hint]).toEqual(['KERNEL_LOG_UNREADABLE', expect.stringContaining('systemd-journal')]);
      }
    },
  );

  test('a host without journalctl says so', async () => {
    const log = new JournalctlLog('no-such-journalctl');
    const { code, message } = await rejection(log.follow(() => undefined, new AbortController().signal));
    expect([code, message]).toEqual(['KERNEL_LOG_UNREADABLE', 'no-such-journalctl is not there']);
  });

  test('one that can be read is looked at and left', async () => {
    await using journal = await journalctlStandIn();
    await expect(
      new JournalctlLog(journal.program).look(new AbortController().signal),
    ).resolves.toBeUndefined();
  });
});
