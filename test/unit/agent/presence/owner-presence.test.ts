import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { DESK_LEASE_MS, DeskReports } from '../../../../src/agent/presence/desk-reports.ts';
import { OwnerPresence } from '../../../../src/agent/presence/owner-presence.ts';
import { PresenceHolds } from '../../../../src/agent/presence/presence-holds.ts';
import { presencePolicy } from '../../../../src/config/gpu-settings.ts';
import type { ForeignUse } from '../../../../src/domain/foreign-use.ts';
import type { Gpu } from '../../../../src/domain/gpu.ts';
import type { Sign } from '../../../../src/domain/presence.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { aGpu } from '../../../support/domain.ts';

const DISPLAY = aGpu({ uuid: 'GPU-display', index: 0, displayActive: true });
const OTHER = aGpu({ uuid: 'GPU-other', index: 1, displayActive: false });
const DEFAULT = { whenActive: 'pause', whenGaming: 'reclaim', gpus: [] } as const;
const QUIET: ForeignUse = { state: 'quiet' };
const GAME: ForeignUse = {
  state: 'used',
  by: [{ pid: 7, gpu: DISPLAY.uuid, type: 'G', name: 'vkquake', usedMiB: 2100, smPercent: 60 }],
};

class UptimeClock extends ManualClock {
  bootTime() {
    return { boot: 'b', upMs: this.monotonic() + 86_400_000 };
  }
}

function scenario(
  options: Parameters<typeof presencePolicy>[0] = DEFAULT,
  gpus: readonly Gpu[] = [DISPLAY, OTHER],
) {
  const clock = new UptimeClock(0);
  const host = {
    use: QUIET as ForeignUse | undefined,
    activity: undefined as Sign | undefined,
    busy: new Set<string>(),
    isForced: false,
  };
  const watched: { gpus: readonly string[]; sessions: boolean } = { gpus: [], sessions: false };
  const [gpuChanged, sessionsChanged] = [new Notifier(), new Notifier()];
  const reclaimed: string[] = [];
  const events: AgentEvent[] = [];
  const holds = new PresenceHolds();
  const desks = new DeskReports(clock);
  const work = (): Promise<void> => Promise.resolve();
  const presence = new OwnerPresence({
    policyOf: (gpu) => presencePolicy(options, gpu),
    gpuUse: {
      changed: gpuChanged,
      use: () => host.use,
      watch: (map) => void (watched.gpus = [...map.values()]),
      work,
    },
    sessions: {
      changed: sessionsChanged,
      sign: () => host.activity,
      watch: (isWatched) => void (watched.sessions = isWatched),
      work,
    },
    desks,
    holds,
    isHeld: (target) => !host.isForced && holds.hold(target) !== undefined,
    isBusy: (target) => host.busy.has(target),
    reclaim: (target) => {
      reclaimed.push(target);
      host.busy.delete(target);
      return Promise.resolve();
    },
    clock,
    observe: (event) => void events.push(event),
  });
  presence.learn(gpus);
  /** Lets so many seconds pass, with an answer of the sources in each. */
  const pass = (seconds: number): void => {
    for (let at = 0; at < seconds; at += 1) {
      clock.advance(1000);
      gpuChanged.notify();
    }
  };
  const held = (): readonly string[] =>
    gpus.map(({ uuid }) => uuid).filter((uuid) => holds.hold(uuid) !== undefined);
  return { clock, desks, events, held, holds, host, pass, reclaimed, watched };
}

describe('the owner comes and goes', () => {
  test('a graphics-only process keeps the GPU with the display off the market, and no other', () => {
    const { held, holds, host, pass, watched } = scenario();
    pass(1);
    expect(held()).toEqual([]);
    host.use = GAME;
    pass(1);
    expect(held()).toEqual([DISPLAY.uuid]);
    expect(holds.hold(DISPLAY.uuid)).toMatchObject({ kind: 'presence', until: undefined });
    expect(watched.gpus).toEqual([DISPLAY.uuid]);
  });

  test('the hold says when it ends, five minutes after the last sign, and then does', () => {
    const { clock, events, held, holds, host, pass } = scenario();
    host.use = GAME;
    pass(1);
    const last = clock.now();
    host.use = QUIET;
    pass(1);
    expect(holds.hold(DISPLAY.uuid)?.until).toBe(last + 300_000);
    pass(298);
    expect(held()).toEqual([DISPLAY.uuid]);
    pass(1);
    expect(held()).toEqual([]);
    expect(events.map((event) => 'state' in event && event.state)).toEqual(['here', 'away']);
  });

  test('the hold counts as changed only where it is: once a second would be too often', () => {
    const { holds, host, pass } = scenario();
    let changes = 0;
    holds.changed.subscribe(() => void (changes += 1));
    host.use = GAME;
    pass(60);
    host.use = QUIET;
    pass(60);
    expect(changes).toBe(2);
  });

  test('activity in a session counts as well', () => {
    const { held, host, pass } = scenario();
    host.activity = { source: 'activity', state: 'seen', what: 'ada is active in a session (wayland)' };
    pass(1);
    expect(held()).toEqual([DISPLAY.uuid]);
  });

  test('a query that fails for longer leaves it unknown, which keeps new jobs away and ends none', () => {
    const { held, holds, host, pass, reclaimed } = scenario({ ...DEFAULT, whenActive: 'reclaim' });
    host.busy.add(DISPLAY.uuid);
    pass(2);
    host.use = { state: 'unknown', why: 'GPU is lost' };
    pass(9);
    expect(held()).toEqual([]);
    pass(1);
    expect(holds.hold(DISPLAY.uuid)?.hint).toBeDefined();
    expect(reclaimed).toEqual([]);
  });

  test('where nothing can be known of the GPU while a job runs, it stays as it was', () => {
    const { held, host, pass } = scenario();
    pass(2);
    host.use = undefined;
    pass(60);
    expect(held()).toEqual([]);
  });

  test('a slice is held with its GPU', () => {
    const gpu = { ...DISPLAY, slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] };
    const { holds, host, pass } = scenario(DEFAULT, [gpu]);
    host.use = GAME;
    pass(1);
    expect(holds.hold('MIG-1')).toMatchObject({ kind: 'presence' });
  });
});

describe('a game', () => {
  test('ends the jobs of the GPU with the display, once, and keeps it off the market', () => {
    const { desks, held, host, pass, reclaimed } = scenario();
    host.busy = new Set([DISPLAY.uuid, OTHER.uuid]);
    desks.report({ user: '1000', games: 1 });
    pass(3);
    expect(reclaimed).toEqual([DISPLAY.uuid]);
    expect(held()).toEqual([DISPLAY.uuid]);
  });

  test('of a desk that has died counts no longer: the reclaim ends', () => {
    const { desks, held, pass } = scenario();
    desks.report({ user: '1000', games: 1 });
    pass(DESK_LEASE_MS / 1000);
    expect(desks.sign()).toBeUndefined();
    pass(300);
    expect(held()).toEqual([]);
  });

  test('of one user counts beside the quiet desk of another', () => {
    const { desks } = scenario();
    desks.report({ user: '1000', games: 1 });
    desks.report({ user: '1001', games: 0 });
    expect(desks.sign()).toMatchObject({ state: 'seen' });
    desks.report({ user: '1000', games: 0 });
    expect(desks.sign()).toMatchObject({ state: 'quiet' });
  });

  test('ends no job of a GPU that its owner has put on the market all the same', () => {
    const { desks, host, pass, reclaimed } = scenario();
    host.isForced = true;
    host.busy.add(DISPLAY.uuid);
    desks.report({ user: '1000', games: 1 });
    pass(3);
    expect(reclaimed).toEqual([]);
  });
});

describe('what the owner wants', () => {
  test.each<[string, Partial<Parameters<typeof presencePolicy>[0]>, readonly string[]]>([
    ['nothing yields', { whenActive: 'ignore', whenGaming: 'ignore' }, []],
    ['only games count', { whenActive: 'ignore' }, []],
    ['a model yields without a display', { gpus: [table('NVIDIA T4')] }, [DISPLAY.uuid, OTHER.uuid]],
    ['one GPU yields without a display', { gpus: [table(OTHER.uuid)] }, [DISPLAY.uuid, OTHER.uuid]],
    ['one GPU stays on the market', { gpus: [{ ...table(DISPLAY.uuid), whenActive: 'ignore' }] }, []],
    [
      'one GPU differs from its model',
      { gpus: [table('NVIDIA T4'), { ...table(OTHER.uuid), whenActive: 'ignore' }] },
      [DISPLAY.uuid],
    ],
  ])('%s', (_, options, expected) => {
    const { held, host, pass, watched } = scenario({ ...DEFAULT, ...options });
    host.use = GAME;
    pass(1);
    expect(held()).toEqual(expected);
    expect(watched.sessions).toBe(expected.length > 0);
  });

  test('a GPU whose display is not known does not yield', () => {
    const { held, host, pass } = scenario(DEFAULT, [aGpu({ displayActive: undefined })]);
    host.use = GAME;
    pass(1);
    expect(held()).toEqual([]);
  });
});

function table(model: string) {
  return { model, askPrice: undefined, catalogue: undefined, slots: undefined, whenActive: 'pause' } as const;
}
