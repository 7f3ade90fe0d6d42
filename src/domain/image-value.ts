/** After how many days a run that wanted an image counts half. */
const HALF_LIFE_DAYS = 3;

/** What is known of the demand for an image. */
export type ImageDemand = {
  /** How many runs wanted it on each day: today first, back to the first day on which the agent looked. */
  readonly wantedByDay: readonly number[];
  /** Runs of this image that the agent tried to claim, and those that it got. */
  readonly tries: number;
  readonly wins: number;
  /** What the wins earned together, in micro-dollars. */
  readonly earnedMicroDollars: number;
  /** What a win is expected to earn before the first one, in micro-dollars. */
  readonly expectedMicroDollars: number;
};

/**
 * What an image on this host is worth in whole micro-dollars a day: runs a day that want it x chance to win x earnings of a
 * win. Pure. Recent days count more. The chance counts one win and one loss beside the known ones, so that two tries show
 * little.
 */
export function imageValuePerDay(demand: ImageDemand): number {
  const { earnedMicroDollars, expectedMicroDollars, tries, wantedByDay, wins } = demand;
  const weights = wantedByDay.map((_, day) => 0.5 ** (day / HALF_LIFE_DAYS));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const wanted = wantedByDay.reduce((sum, runs, day) => sum + runs * (weights[day] ?? 0), 0);
  if (total === 0) return 0;
  const chance = (Math.min(wins, tries) + 1) / (tries + 2);
  const perWin = wins === 0 ? expectedMicroDollars : earnedMicroDollars / wins;
  return Math.round((wanted / total) * chance * Math.max(perWin, 0));
}
