import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { Notifications } from '../../../../src/agent/notifications/notifications.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { CONDITION_KINDS, NOTIFICATION_KINDS } from '../../../../src/domain/notification-kinds.ts';
import type { JobSums } from '../../../../src/domain/ports/job-sums.ts';
import type {
  NotificationMessage,
  NotificationStore,
  NotificationTarget,
} from '../../../../src/domain/ports/notifications.ts';
import { Zone } from '../../../../src/domain/schedule/zone.ts';
import type { SqliteJournal } from '../../../../src/journal/sqlite-journal.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { aNewJob, anOffer } from '../../../support/domain.ts';
import { scratchDir, withJournal } from '../../../support/journal/scratch.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const gpu = { uuid: 'GPU-1', name: 'GPU 0' };
const cordoned: AgentEvent = { kind: 'gpu-cordoned', gpu, why: 'the password is hunter22', hint: 'reboot' };
const uncordoned: AgentEvent = { kind: 'gpu-uncordoned', gpu };
const job = { ...aNewJob(), state: { name: 'claimed' as const }, claimedAt: 0, updatedAt: 0 };

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-27T06:00:00Z') }));
afterEach(() => void vi.useRealTimers());

/** A phone that can be switched off. */
class Phone implements NotificationTarget {
  readonly name;
  readonly address = 'a phone';
  readonly got: NotificationMessage[] = [];
  isOff = false;
  tries = 0;

  constructor(name: NotificationTarget['name'] = 'ntfy') {
    this.name = name;
  }

  send(message: NotificationMessage): Promise<void> {
    this.tries += 1;
    if (this.isOff) return Promise.reject(new AgentError('NOTIFICATION_FAILED', 'the phone is off'));
    this.got.push(message);
    return Promise.resolve();
  }

  get lines(): readonly string[] {
    return this.got.map(({ kind, state }) => `${kind} ${state}`);
  }

  get gpus(): readonly string[] {
    return this.lines.filter((line) => line.startsWith('gpu-'));
  }
}

/** An agent's notifications on a journal, until `stop`; without it as after a crash. */
function start(
  journal: { readonly notifications: NotificationStore; readonly sums: Pick<JobSums, 'pending' | 'since'> },
  ...targets: readonly Phone[]
) {
  const lines: string[] = [];
  const end = new AbortController();
  let zone = new Zone('Europe/Berlin');
  const notifications = new Notifications({
    targets,
    store: journal.notifications,
    sums: journal.sums,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    random: () => 1,
    newId: randomUUID,
    log: logInto(lines),
    redact: (text) => text.replaceAll('hunter22', '[redacted]'),
    host: 'rig1',
    wanted: new Set(NOTIFICATION_KINDS),
    daily: { minute: 9 * 60, zone: () => zone },
  });
  void notifications.work(end.signal);
  return {
    see: (...events: readonly AgentEvent[]) => {
      for (const event of events) notifications.observe(event);
    },
    moveTo: (name: string) => void (zone = new Zone(name)),
    stop: () => end.abort(),
    logged: (event: string) => logged(lines, event),
  };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Runs a test on a journal. */
function onJournal(use: (journal: SqliteJournal) => Promise<void>): () => Promise<void> {
  return () => withJournalAsync(use);
}

async function withJournalAsync(use: (journal: SqliteJournal) => Promise<void>): Promise<void> {
  let used: Promise<void> = Promise.resolve();
  let finish = (): void => undefined;
  withJournal(scratchDir(), (journal) => {
    const close = journal.close.bind(journal);
    journal.close = () => undefined;
    finish = close;
    used = use(journal);
  });
  await used.finally(finish);
}

describe('notifications', () => {
  test(
    'tell of a cordoned GPU and that it is well again, without secrets',
    onJournal(async (journal) => {
      const phone = new Phone();
      const agent = start(journal, phone);
      agent.see(cordoned);
      await pass(CONDITION_KINDS['gpu-cordoned'].graceMs + MINUTE);
      agent.see(uncordoned);
      await pass(HOUR);
      expect(phone.lines).toEqual(['gpu-cordoned problem', 'gpu-cordoned resolved']);
      expect(phone.got[0]).toMatchObject({
        host: 'rig1',
        items: [{ key: 'GPU-1', name: 'GPU 0', why: 'the password is [redacted]', hint: 'reboot' }],
        text: expect.stringContaining('[redacted]') as unknown,
        isTest: false,
      });
      expect(JSON.stringify(phone.got)).not.toContain('hunter22');
      expect(journal.notifications.load().queue).toEqual([]);
      agent.stop();
    }),
  );

  test(
    'are delivered once to each target, however long one of them is off, and each failure is logged once',
    onJournal(async (journal) => {
      const phone = new Phone();
      const hook = new Phone('webhook');
      phone.isOff = true;
      const agent = start(journal, phone, hook);
      agent.see(cordoned);
      await pass(5 * HOUR);
      expect([phone.got.length, hook.got.length]).toEqual([0, 2]);
      expect(phone.tries).toBeGreaterThan(10);
      expect(agent.logged('notification-failed')).toHaveLength(1);
      phone.isOff = false;
      await pass(HOUR);
      expect(phone.lines).toEqual(['gpu-cordoned problem', 'daily-summary info']);
      expect(phone.got.map(({ id }) => id)).toEqual(hook.got.map(({ id }) => id));
      expect(agent.logged('notification-target-recovered')).toHaveLength(1);
      agent.stop();
    }),
  );

  test(
    'of an agent that died come from the next one, once',
    onJournal(async (journal) => {
      const phone = new Phone();
      phone.isOff = true;
      const first = start(journal, phone);
      first.see(cordoned);
      await pass(HOUR);
      first.stop();
      const second = start(journal, phone);
      phone.isOff = false;
      second.see(cordoned);
      await pass(HOUR);
      second.stop();
      const third = start(journal, phone);
      third.see(cordoned);
      await pass(30 * MINUTE);
      expect(phone.gpus).toEqual(['gpu-cordoned problem']);
      // A GPU that is well at the start has no event of its own.
      third.stop();
      const fourth = start(journal, phone);
      await pass(HOUR);
      expect(phone.gpus).toEqual(['gpu-cordoned problem', 'gpu-cordoned resolved']);
      expect(phone.lines.filter((line) => line === 'daily-summary info')).toHaveLength(1);
      fourth.stop();
    }),
  );

  test(
    'that nobody takes are given up after a day, and never more than a few wait',
    onJournal(async (journal) => {
      const phone = new Phone();
      phone.isOff = true;
      const agent = start(journal, phone);
      agent.see(cordoned);
      await pass(26 * HOUR);
      expect(agent.logged('notification-dropped')).toHaveLength(1);
      for (let n = 0; n < LIMITS.notify.queue.max + 40; n += 1) {
        journal.notifications.save(
          { state: { conditions: [], incidents: [], sent: [] }, lastSummary: undefined },
          [{ target: 'ntfy', message: messageAt(Date.now(), `id-${n}`) }],
        );
      }
      agent.stop();
      const next = start(journal, phone);
      await pass(MINUTE);
      expect(journal.notifications.load().queue.length).toBeLessThanOrEqual(LIMITS.notify.queue.max);
      next.stop();
    }),
  );

  test('are reported also while the disk takes nothing, which may be what there is to tell', async () => {
    const refuse = (): never => {
      throw new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
    };
    const store: NotificationStore = { load: refuse, save: refuse, remove: refuse };
    const phone = new Phone();
    const sums = { since: refuse, pending: refuse };
    const agent = start({ notifications: store, sums }, phone);
    agent.see({ kind: 'claiming-paused', blockedBy: ['disk'], why: 'little disk', hint: undefined });
    await pass(4 * HOUR);
    expect(phone.lines).toEqual(['disk-low problem']);
    expect(agent.logged('notifications-not-saved')).toHaveLength(1);
    expect(agent.logged('daily-summary-failed')).toHaveLength(1);
    agent.stop();
  });

  test(
    'sum up a day: each job once, however the days are cut, and what is wrong',
    onJournal(async (journal) => {
      const phone = new Phone();
      const agent = start(journal, phone);
      agent.see(cordoned);
      finishJob(journal, 'job-1', 0.25);
      await pass(3 * HOUR);
      finishJob(journal, 'job-2', 0.5);
      await pass(24 * HOUR);
      agent.stop();
      const summaries = phone.got.flatMap(({ summary }) => summary ?? []);
      expect(summaries.map(({ jobs }) => jobs.succeeded)).toEqual([1, 1]);
      expect(summaries.map(({ earned }) => earned)).toEqual([0.25, 0.5]);
      expect(summaries[1]?.since).toBe(summaries[0]?.until);
      const text = phone.got.find(({ kind }) => kind === 'daily-summary')?.text ?? '';
      expect(text).toContain('GPU 0');
      expect(text.split('\n')).toHaveLength(3);
    }),
  );

  test(
    'sum up a day by the clock of another zone from its reload on',
    onJournal(async (journal) => {
      const phone = new Phone();
      const agent = start(journal, phone);
      await pass(MINUTE);
      agent.moveTo('America/New_York');
      await pass(7 * HOUR);
      expect(phone.lines).toEqual([]);
      // Nine o’clock there is 14:00 UTC.
      await pass(HOUR + MINUTE);
      expect(phone.lines).toEqual(['daily-summary info']);
      // It has been sent there that day.
      agent.moveTo('Pacific/Honolulu');
      await pass(10 * HOUR);
      expect(phone.lines).toEqual(['daily-summary info']);
      agent.stop();
    }),
  );

  test('tell of a broker that is unreachable, and of a token that it refuses, and never of both for one cause', async () => {
    const journal = inMemory();
    const phone = new Phone();
    const agent = start(journal, phone);
    const failed = (code: 'BROKER_UNREACHABLE' | 'BROKER_UNAUTHORIZED'): AgentEvent => ({
      kind: 'polling-failed',
      error: new AgentError(code, 'no'),
      failures: 1,
      retryInMs: MINUTE,
    });
    for (let n = 0; n < 12; n += 1) {
      agent.see(failed('BROKER_UNREACHABLE'));
      await pass(MINUTE);
    }
    for (let n = 0; n < 12; n += 1) {
      agent.see(failed('BROKER_UNAUTHORIZED'));
      await pass(MINUTE);
    }
    agent.see({ kind: 'broker-reachable' });
    await pass(10 * MINUTE);
    agent.stop();
    expect(phone.lines).toEqual([
      'broker-unreachable problem',
      'broker-unreachable resolved',
      'token-refused problem',
      'token-refused resolved',
    ]);
  });

  test('tell of a day without jobs only where runs could have been taken', async () => {
    const journal = inMemory();
    const phone = new Phone();
    const agent = start(journal, phone);
    const lines = () => phone.lines.filter((line) => line.startsWith('no-jobs'));
    agent.see({ kind: 'offer-registered', offer: anOffer() });
    await pass(20 * HOUR);
    agent.see({ kind: 'target-held', target: 'GPU-1', hold: { kind: 'manual', why: 'paused' } });
    await pass(48 * HOUR);
    expect(lines()).toEqual([]);
    agent.see({ kind: 'target-released', target: 'GPU-1' });
    await pass(3 * HOUR);
    agent.see({ kind: 'job-started', job });
    await pass(48 * HOUR);
    expect(lines()).toEqual([]);
    agent.see({ kind: 'job-cancelled', job, why: 'no' });
    await pass(25 * HOUR);
    expect(lines()).toEqual(['no-jobs problem']);
    agent.see({ kind: 'job-started', job });
    await pass(MINUTE);
    expect(lines()).toEqual(['no-jobs problem', 'no-jobs resolved']);
    agent.stop();
  });

  test('tell who uses the memory of a GPU after a reclaim', async () => {
    const journal = inMemory();
    const phone = new Phone();
    const agent = start(journal, phone);
    agent.see({
      kind: 'reclaim-ended',
      jobs: [],
      gpus: [
        { gpu: 'GPU-1', state: 'in-use', inUseMiB: 9, processes: [{ pid: 77, gpu: 'GPU-1', usedMiB: 9 }] },
      ],
      left: [],
      problem: undefined,
      tookMs: 1,
    });
    await pass(MINUTE);
    agent.stop();
    expect(phone.got.map(({ kind, text }) => [kind, text.includes('77')])).toEqual([
      ['reclaim-incomplete', true],
    ]);
  });
});

/** A journal without a disk and without jobs. */
function inMemory(): {
  readonly notifications: NotificationStore;
  readonly sums: Pick<JobSums, 'pending' | 'since'>;
} {
  const jobs = { succeeded: 0, failed: 0, timeout: 0, released: 0, cancelled: 0 };
  return {
    notifications: {
      load: () => ({ kept: undefined, queue: [] }),
      save: () => undefined,
      remove: () => undefined,
    },
    sums: {
      since: () => ({ jobs, earned: 0 }),
      pending: () => ({ reports: 0, releases: 0, earned: 0 }),
    },
  };
}

function finishJob(journal: SqliteJournal, uuid: string, earned: number): void {
  journal.insert({ ...aNewJob(), uuid });
  journal.transition(uuid, { name: 'claimed' });
  const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
  journal.transition(uuid, { name: 'finished', report, durationMs: 1 });
  journal.transition(uuid, { name: 'reported', status: 3, durationMs: 1, earned });
}

function messageAt(at: number, id: string): NotificationMessage {
  return {
    id,
    at,
    kind: 'disk-low',
    state: 'problem',
    items: [],
    host: 'rig1',
    title: 'a title',
    text: 'a text',
    summary: undefined,
    isTest: false,
  };
}
