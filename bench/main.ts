import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findEngine } from '../test/support/engine/find-engine.ts';
import { describeMachine } from './measure/machine.ts';
import type { Row } from './row.ts';
import { backtestRow } from './rows/backtest.ts';
import { claim } from './rows/claim.ts';
import { coldImage } from './rows/cold-image.ts';
import { cpuPerJob } from './rows/cpu-per-job.ts';
import { flood } from './rows/flood.ts';
import { gap } from './rows/gap.ts';
import { idle } from './rows/idle.ts';
import { journal } from './rows/journal.ts';
import { loader } from './rows/loader.ts';
import { market } from './rows/market.ts';
import { marketHistory } from './rows/market-history.ts';
import { metrics } from './rows/metrics.ts';
import { owner } from './rows/owner.ts';
import { page } from './rows/page.ts';
import { presence } from './rows/presence.ts';
import { report } from './rows/report.ts';
import { restart } from './rows/restart.ts';
import { sampling } from './rows/sampling.ts';
import { schedule } from './rows/schedule.ts';
import { slurm } from './rows/slurm.ts';
import { strategies } from './rows/strategies.ts';
import { throughput } from './rows/throughput.ts';
import { type Measured, tableOf } from './table.ts';

/*
 * `npm run bench [-- [--quick] [--entry MAIN] [NAME...]]`: measures the named rows, or all, prints a table and
 * writes JSON. A figure that misses its target fails nothing.
 */

const ROWS: readonly Row[] = [
  throughput,
  claim,
  report,
  gap,
  cpuPerJob,
  idle,
  market,
  marketHistory,
  metrics,
  page,
  flood,
  restart,
  journal,
  presence,
  sampling,
  schedule,
  owner,
  slurm,
  loader,
  coldImage,
  strategies,
  backtestRow,
];
const ROOT = join(import.meta.dirname, '..');
const OUTPUT = join(ROOT, '.cache', 'bench');

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, entry: { type: 'string' } },
});
const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`);
const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0)
  throw new Error(`no such row: ${unknown.join(', ')}; rows: ${ROWS.map(({ name }) => name).join(', ')}`);

// oxlint-disable-next-line node/no-process-env -- DOCKER_HOST, as for the tests
const finding = await findEngine(process.env);
if ('missing' in finding) throw new Error(finding.missing);
// Owners run the build, not the sources.
if (values.entry === undefined) execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: 'inherit' });
const ground = { engine: finding.engine, quick: values.quick, entry: values.entry ?? 'dist/main.js', say };

const measured: Measured[] = [];
for (const row of ROWS) {
  if (positionals.length > 0 && !positionals.includes(row.name)) continue;
  say(row.name);
  measured.push({ row: row.name, figures: await row.measure(ground) });
}
const machine = await describeMachine(finding.engine.docker);
mkdirSync(OUTPUT, { recursive: true });
const file = join(OUTPUT, `${values.quick ? 'quick' : positionals.join('-') || 'all'}.json`);
writeFileSync(file, `${JSON.stringify({ machine, quick: values.quick, rows: measured }, undefined, 2)}\n`);
process.stdout.write(`${tableOf(measured)}\n`);
say(`figures in ${file}`);
