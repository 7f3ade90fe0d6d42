import { MONTHS, WEEKDAYS } from '../../domain/schedule/window.ts';
import { DAY_MS, type Zone } from '../../domain/schedule/zone.ts';
import { readableDuration } from '../../lib/readable.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { TargetWeek, Week } from './week.ts';

const ZONE_FROM = {
  configured: 'set by time-zone',
  host: 'that of this host',
  assumed: 'assumed, because this host has none; set time-zone',
} as const satisfies Record<Week['zoneFrom'], string>;

type Period = TargetWeek['periods'][number];

/** The state of each target now and its week; targets with the same week have one table. */
export function weekText(week: Week, page: Page): string {
  const { notes, now, schedule, targets, zoneFrom } = week;
  const { zone } = schedule;
  const head = [`now ${wallText(zone, now)}, time zone ${zone.name} (${ZONE_FROM[zoneFrom]})`];
  const same = Map.groupBy(targets, ({ periods }) => JSON.stringify(periods));
  const groups = [...same.values()].map((group) => groupText(group, week, page));
  const tail = notes.map((note) => `note: ${note}`);
  return [text(head, page), ...groups, ...(tail.length === 0 ? [] : [text(tail, page)])].join('\n');
}

function groupText(group: readonly TargetWeek[], { now, schedule }: Week, page: Page): string {
  const [first] = group;
  if (first === undefined) return '';
  const { nextChange, periods } = first;
  const state = periods[0]?.available ? 'available' : 'not available';
  const until =
    nextChange === undefined
      ? 'with no end'
      : `until ${wallText(schedule.zone, nextChange)} (in ${readableDuration(nextChange - now)})`;
  const lines = [...group.map(({ name }) => name), `  ${state} ${until}: ${periods[0]?.why ?? ''}`];
  const rows = periods.length > 1 ? `\n${table(columns(schedule.zone), periods, page)}` : '';
  return `${text(lines, page)}${rows}`;
}

function columns(zone: Zone): readonly Column<Period>[] {
  return [
    { title: 'FROM', cell: ({ from }) => wallText(zone, from) },
    {
      title: 'LASTS',
      cell: ({ from, until }) => (until === undefined ? '' : readableDuration(until - from)),
      right: true,
    },
    { title: 'STATE', cell: ({ available }) => (available ? 'available' : 'not available') },
    { title: 'WHY', cell: ({ why }) => why, wrap: true },
  ];
}

function text(lines: readonly string[], page: Page): string {
  return lines
    .flatMap((line) => linesOf(line, page))
    .join('\n')
    .concat('\n');
}

/** An instant as the wall of a zone shows it: `Fri 27 Nov 22:00`. */
export function wallText(zone: Zone, instant: number): string {
  const local = new Date(zone.localMs(instant));
  const weekday = WEEKDAYS[(Math.floor(local.getTime() / DAY_MS) + 3) % 7] ?? '';
  const month = MONTHS[local.getUTCMonth()] ?? '';
  const day = String(local.getUTCDate()).padStart(2);
  return `${capital(weekday)} ${day} ${capital(month)} ${local.toISOString().slice(11, 16)}`;
}

function capital(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1, 3);
}

/** The same as JSON. Times are ISO 8601 in UTC; null: never. */
export function weekJson(
  { notes, now, schedule, targets, zoneFrom }: Week,
  warnings: readonly string[],
): string {
  const shown = {
    schema: 1,
    now: iso(now),
    timeZone: schedule.zone.name,
    timeZoneFrom: zoneFrom,
    targets: targets.map(({ name, nextChange, periods, target }) => ({
      target,
      name,
      available: periods[0]?.available ?? true,
      why: periods[0]?.why ?? '',
      nextChange: iso(nextChange),
      periods: periods.map(({ available, from, rule, until, why }) => ({
        from: iso(from),
        until: iso(until),
        available,
        why,
        rule: rule?.number ?? null,
      })),
    })),
    warnings: [...warnings, ...notes],
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function iso(instant: number | undefined): string | null {
  return instant === undefined ? null : new Date(instant).toISOString();
}
