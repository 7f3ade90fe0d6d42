import type { Mutation } from '../../scripts/mutations/mutation.ts';

const WINDOW = 'src/domain/schedule/window.ts';
const TIMELINE = 'src/domain/schedule/timeline.ts';
const ZONE = 'src/domain/schedule/zone.ts';
const AVAILABILITY = 'src/domain/schedule/availability.ts';
const ROOM = 'src/domain/slot-room.ts';
const SCHEDULE_TEST = 'test/unit/domain/schedule/schedule.test.ts';
const DECIDE_TEST = 'test/unit/domain/decide.test.ts';
const CALENDAR_TEST = 'test/unit/agent/calendar/calendar.test.ts';

/** What keeps jobs within the owner's schedule. */
export const SCHEDULE: readonly Mutation[] = [
  {
    protection: 'hours past midnight belong to the day on which they begin',
    file: WINDOW,
    text: '(wasBefore && minute < to)',
    becomes: '(isToday && minute < to)',
    test: { file: SCHEDULE_TEST, name: 'past midnight belongs to the day on which it begins' },
  },
  {
    protection: 'a later rule wins',
    file: TIMELINE,
    text: 'this.#windows.findLastIndex(',
    becomes: 'this.#windows.findIndex(',
    test: { file: SCHEDULE_TEST, name: 'of which the first closes a window leave the rest of the time open' },
  },
  {
    protection: 'the day before a day is one that the zone had',
    file: ZONE,
    text: 'calendarDay(Math.min(day - 1, beforeMidnight))',
    becomes: 'calendarDay(day - 1)',
    test: { file: SCHEDULE_TEST, name: 'of the day before a missing day goes on into the day after it' },
  },
  {
    protection: 'times that the owner has not named are closed where windows are opened',
    file: AVAILABILITY,
    text: 'return rules[0]?.available !== true;',
    becomes: 'return true;',
    test: {
      file: SCHEDULE_TEST,
      name: 'of which the first opens a window leave the rest of the time closed',
    },
  },
  {
    protection: 'a job that would end after the window is not claimed',
    file: ROOM,
    text: 'left.findIndex((ms) => ms >= expectedMs)',
    becomes: 'left.findIndex((ms) => ms > 0)',
    test: {
      file: DECIDE_TEST,
      name: 'takes only jobs that end before the window of a slot of their own does',
    },
  },
  {
    protection: 'a slot is leased only where its window is long enough',
    file: 'src/agent/jobs/slot-pool.ts',
    text: 'left === Infinity || left >= neededMs()',
    becomes: 'left > 0',
    test: {
      file: 'test/unit/agent/jobs/slot-pool.test.ts',
      name: 'are leased for long enough, the shortest such window first',
    },
  },
  {
    protection: 'jobs that failed do not make the next one seem short',
    file: 'src/journal/sqlite-journal.ts',
    text: "state.name === 'finished' && state.report.status !== JOB_STATUS.FAILED",
    becomes: "state.name === 'finished'",
    test: {
      file: 'test/unit/journal/function-durations.test.ts',
      name: 'are those of its own jobs that did not fail, newest first, also once they are reported',
    },
  },
  {
    protection: 'a clock that was set is noticed',
    file: 'src/agent/calendar/calendar.ts',
    text: 'return Math.min(Math.max(next - this.#clock.now(), MIN_WAIT_MS), MAX_WAIT_MS);',
    becomes: 'return Math.max(next - this.#clock.now(), MIN_WAIT_MS);',
    test: { file: CALENDAR_TEST, name: 'notices within seconds that the clock was set %s' },
  },
];
