import { expect, test } from 'vitest';
import { reportGames } from '../../../src/cli/desk/report-games.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { VirtualTime } from '../../support/clock/virtual-time.ts';

/** What is reported where GameMode counts these games, one each time that it is asked. */
async function reported(counts: readonly (number | 'unreadable' | 'no agent')[]) {
  await using _ = new VirtualTime();
  const clock = new ManualClock();
  const ended = new AbortController();
  const reports: number[] = [];
  const events: unknown[] = [];
  const record = (fields: { readonly event: string }): void => void events.push(fields.event);
  let at = -1;
  await reportGames(
    {
      clock,
      log: { debug: record, info: record, warn: record, error: record },
      read: async () => {
        at += 1;
        clock.advance(2000);
        const count = counts[at];
        if (count === undefined) ended.abort();
        if (count === 'unreadable') throw new AgentError('GAMES_UNREADABLE', 'no bus');
        return typeof count === 'number' ? count : 7;
      },
      report: async (games) => {
        if (counts[at] === 'no agent') throw new AgentError('AGENT_NOT_RUNNING', 'no agent runs');
        if (!ended.signal.aborted) reports.push(games);
      },
    },
    ended.signal,
  );
  return { reports, events };
}

test('a change is reported at once, and what stays is repeated before the lease ends', async () => {
  const { reports } = await reported([0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  expect(reports).toEqual([0, 1, 0, 0]);
});

test('what cannot be read is not reported, and is reported again once it can', async () => {
  const { events, reports } = await reported([1, 'unreadable', 'unreadable', 1]);
  expect(reports).toEqual([1, 1]);
  expect(events.filter((event) => event === 'games-not-reported')).toHaveLength(1);
});

test('an agent that comes back gets the report at once', async () => {
  const { events, reports } = await reported([1, 'no agent', 'no agent', 1]);
  expect(reports).toEqual([1, 1]);
  expect(events).toContain('games-not-reported');
});
