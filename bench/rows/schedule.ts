import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Schedule, type TargetSchedule } from '../../src/domain/schedule/availability.ts';
import { CPU_SLOTS } from '../../src/domain/schedule/target.ts';
import { Zone } from '../../src/domain/schedule/zone.ts';
import { JOURNAL_FILE, openJournal } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { rule } from '../../test/support/schedule/rules.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Row } from '../row.ts';

/** Calls per sample: one takes microseconds. */
const CALLS = 200;
const HOUR_MS = 3_600_000;
const FUNCTIONS = 20;

/** CPU time of what the owner's schedule asks of each decision: the state now, its next change, and expected durations. */
export const schedule: Row = {
  name: 'schedule',
  measure: async ({ quick }) => [
    ...scheduleFigures(quick ? 5 : 100),
    await durations(quick ? 1_000 : 100_000, quick ? 5 : 100),
  ],
};

function scheduleFigures(samples: number): readonly Figure[] {
  const target = tenRules();
  let instant = Date.UTC(2026, 0, 1);
  const next = (): number => (instant += 7.1 * HOUR_MS);
  return [
    figureOf(
      { what: 'state by ten rules', unit: 'us', targets: [{ of: 'median', atMost: 20 }] },
      sampled(samples, () => void target.stateAt(next())),
    ),
    figureOf(
      { what: 'next change by ten rules', unit: 'us' },
      sampled(samples, () => void target.nextChange(next())),
    ),
  ];
}

function tenRules(): TargetSchedule {
  const rules = Array.from({ length: 10 }, (_, index) =>
    rule({
      days: ['mon-fri', 'weekend', 'wed'][index % 3] ?? '',
      hours: `${index}:00-${(index * 5 + 13) % 24}:30`,
      available: index % 2 === 0,
    }),
  );
  return new Schedule(rules, new Zone('Europe/Berlin')).of(CPU_SLOTS);
}

async function durations(jobs: number, samples: number): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), 'sharedcloud-bench-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const stateDir = openStateDir(directory);
  opened.defer(() => stateDir.close());
  openJournal(stateDir, 'https://sharedcloud.io', systemClock).close();
  const db = new DatabaseSync(join(directory, JOURNAL_FILE));
  db.exec(`INSERT INTO job_functions
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${jobs})
    SELECT n, 'job-' || n, 'function-' || (n % ${FUNCTIONS}), n, n FROM n`);
  db.close();
  const book = openJournal(stateDir, 'https://sharedcloud.io', systemClock);
  opened.defer(() => book.close());
  let asked = 0;
  const ask = (): void => void book.durationsOf(`function-${(asked += 1) % FUNCTIONS}`);
  const what = `durations of a function among ${jobs.toLocaleString('en')} jobs`;
  const targets = [{ of: 'median', atMost: 1_000 } as const];
  return figureOf({ what, unit: 'us', targets }, sampled(samples, ask));
}

/** CPU microseconds per call. */
function sampled(samples: number, call: () => void): readonly number[] {
  return Array.from({ length: samples }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < CALLS; index += 1) call();
    const { system, user } = process.cpuUsage(before);
    return (user + system) / CALLS;
  });
}
