import type { Earnings, EarningsBy, Job, Sums } from './answers.ts';
import { counted, type Formats, UNKNOWN, visible } from './format.ts';

/* What the page says about money. All functions are pure. Amounts come as whole micro-dollars. */

/** By what earnings are summed, and what the rows are then called. */
export const SUMMED_BY: Readonly<Record<EarningsBy, string>> = {
  day: 'Day',
  gpu: 'GPU',
  function: 'Function',
  image: 'Image',
};

const MICRO = 1_000_000;
const JOULES_PER_KWH = 3_600_000;

/** An amount as people read it; a dash where it is not known. */
export function amount(microDollars: number | null, { money }: Formats): string {
  return microDollars === null ? UNKNOWN : money(microDollars / MICRO);
}

/** What is left; at most this, where the power cost of some jobs is not known. */
export function netText({ netMicroDollars, unpricedJobs }: Sums, formats: Formats): string {
  if (netMicroDollars === null) return UNKNOWN;
  return `${unpricedJobs > 0 ? '≤ ' : ''}${amount(netMicroDollars, formats)}`;
}

/** Energy in kilowatt-hours; `~` marks an estimate. */
export function energyText(
  { energyJoules, estimatedJobs }: Pick<Sums, 'energyJoules' | 'estimatedJobs'>,
  { kWh }: Formats,
): string {
  if (energyJoules === null) return UNKNOWN;
  return `${estimatedJobs > 0 ? '~ ' : ''}${kWh(energyJoules / JOULES_PER_KWH)}`;
}

/** The heads and cells of the table of earnings. Days are newest first, as lists are here. */
export function earningsCells({ by, rows }: Pick<Earnings, 'by' | 'rows'>, formats: Formats) {
  const ordered = by === 'day' ? rows.toReversed() : rows;
  return {
    columns: [SUMMED_BY[by], 'Earned', 'Net', 'Power', 'Pending', 'Jobs', 'Energy'],
    rows: ordered.map((row) => [
      nameOf(by, row, formats),
      amount(row.confirmedMicroDollars, formats),
      netText(row, formats),
      amount(row.powerCostMicroDollars, formats),
      row.pendingJobs === 0 ? '' : amount(row.pendingMicroDollars, formats),
      formats.count(row.jobs),
      energyText(row, formats),
    ]),
  };
}

function nameOf(by: EarningsBy, { key, name }: Earnings['rows'][number], { day }: Formats): string {
  if (key === null) return 'all others';
  // Noon, so that it is this day in every time zone that a browser may be in.
  return by === 'day' ? day(`${key}T12:00:00`) : visible(name);
}

/** What has to be known to read the figures. */
export function moneyNotes(
  { idle, total }: Pick<Earnings, 'idle' | 'total'>,
  formats: Formats,
): readonly string[] {
  const { estimatedJobs, powerCostMicroDollars, unpricedJobs } = total;
  const notes: string[] = [];
  if (powerCostMicroDollars === null)
    notes.push('Power and net are known once there is an electricity price and a job that was measured.');
  else if (unpricedJobs > 0)
    notes.push(`≤ at most this, since the power cost of ${counted(unpricedJobs, 'job')} is not known.`);
  if (estimatedJobs > 0)
    notes.push(
      '~ an estimate: a sensor did not see all of the time, or what a GPU takes idle was not known yet.',
    );
  if (idle.energyJoules !== null) {
    const cost =
      idle.powerCostMicroDollars === null ? '' : `, ${amount(idle.powerCostMicroDollars, formats)}`;
    notes.push(
      `GPUs without a job took ${energyText({ energyJoules: idle.energyJoules, estimatedJobs: 0 }, formats)}${cost}; this is in no row.`,
    );
  }
  return notes;
}

/** What a job took and what is left of its pay; `~` marks an estimate, null what is not known. */
export function jobMoney(
  job: Pick<
    Job,
    'energyJoules' | 'isEnergyEstimate' | 'isPowerCostEstimate' | 'netMicroDollars' | 'powerCostMicroDollars'
  >,
  formats: Formats,
): readonly (readonly [string, string | null])[] {
  const { energyJoules, isEnergyEstimate, isPowerCostEstimate, netMicroDollars, powerCostMicroDollars } = job;
  const about = (isEstimate: boolean | null, text: string): string =>
    `${isEstimate === true ? '~ ' : ''}${text}`;
  const money = (microDollars: number | null): string | null =>
    microDollars === null ? null : about(isPowerCostEstimate, amount(microDollars, formats));
  return [
    [
      'Energy',
      energyJoules === null ? null : about(isEnergyEstimate, formats.kWh(energyJoules / JOULES_PER_KWH)),
    ],
    ['Power cost', money(powerCostMicroDollars)],
    ['Net', money(netMicroDollars)],
  ];
}
