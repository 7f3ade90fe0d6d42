import { type AvailabilityRule, isOpenByDefault } from './availability.ts';
import { covers, DAY_MINUTES, edgesOf, MONTHS, WEEKDAYS, type Window } from './window.ts';
import type { WallTime } from './zone.ts';

/** Whether no target ever takes a job by these rules. A target that no rule is about always does. */
export function neverOpens(rules: readonly AvailabilityRule[]): boolean {
  const named = rules.flatMap(({ gpus }) => gpus ?? []);
  const groups = [undefined, ...new Set(named)].map((name) => rulesAbout(rules, name));
  return groups.every((group) => !opens(group));
}

/** Whether a target with these rules about it ever takes a job. */
export function opens(rules: readonly AvailabilityRule[]): boolean {
  return someTime(
    rules.map(({ window }) => window),
    (wall) => rules.findLast(({ window }) => covers(window, wall))?.available ?? isOpenByDefault(rules),
  );
}

/** The rules that never apply, because later ones about all that they name win at each of their times. */
export function hiddenRules(rules: readonly AvailabilityRule[]): readonly AvailabilityRule[] {
  return rules.filter((rule, at) => {
    const later = rules.slice(at + 1).filter((other) => isAboutAll(other, rule));
    const windows = [rule, ...later].map(({ window }) => window);
    return (
      later.length > 0 &&
      !someTime(
        windows,
        (wall) => covers(rule.window, wall) && !later.some(({ window }) => covers(window, wall)),
      )
    );
  });
}

function rulesAbout(
  rules: readonly AvailabilityRule[],
  name: string | undefined,
): readonly AvailabilityRule[] {
  return rules.filter(({ gpus }) => gpus === undefined || (name !== undefined && gpus.includes(name)));
}

/** Whether a rule is about everything that another one is about, as far as their words tell. */
function isAboutAll({ gpus }: AvailabilityRule, other: AvailabilityRule): boolean {
  if (gpus === undefined) return true;
  return other.gpus?.every((name) => gpus.includes(name)) === true;
}

/** Whether there is a time, of all that a wall can show, for which `accepts` holds. */
function someTime(windows: readonly Window[], accepts: (wall: WallTime) => boolean): boolean {
  for (const wall of allTimes(windows)) if (accepts(wall)) return true;
  return false;
}

/** One time for each combination that the windows can tell apart; the previous day may be of the month before. */
function* allTimes(windows: readonly Window[]): Generator<WallTime, void> {
  const minutes = edgesOf(windows).filter((minute) => minute < DAY_MINUTES);
  for (let month = 0; month < MONTHS.length; month += 1)
    for (const previousMonth of [month, (month + MONTHS.length - 1) % MONTHS.length])
      for (let weekday = 0; weekday < WEEKDAYS.length; weekday += 1)
        for (const minute of minutes) {
          const previous = { weekday: (weekday + 6) % WEEKDAYS.length, month: previousMonth };
          yield { minute, today: { weekday, month }, previous };
        }
}
