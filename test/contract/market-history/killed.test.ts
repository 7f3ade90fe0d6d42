import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { PastRun } from '../../../src/domain/ports/market-history.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { anOffer } from '../../support/domain.ts';
import { close, listen } from '../../support/faults/listen.ts';
import { ListedRuns } from '../../support/market/listed-runs.ts';
import { MINUTE, Recording, START } from '../../support/market/recording.ts';

const RECORDER = fileURLToPath(new URL('../../support/market/killable-recorder.ts', import.meta.url));
const KILLS = Number(process.env['MARKET_KILLS'] ?? 10);
/** So many runs come each minute; each is open for so many minutes, and has a job more in each. */
const NEW_RUNS = 700;
const OPEN_MINUTES = 3;
/** Of a gap that is none. */
const SHORT_MINUTES = 3;

/** The list of a minute. */
function listAt(minute: number): string {
  const runs = Array.from({ length: OPEN_MINUTES * NEW_RUNS }, (_, at) => {
    const born = minute - (at % OPEN_MINUTES);
    return {
      uuid: `${born}-${Math.floor(at / OPEN_MINUTES)}`,
      function: `function-${at % 50}`,
      function_name: 'f',
      num_jobs: minute - born + 1,
      bid_price: '0.1',
      created_at: '27-11-2026 00:00:00',
    };
  });
  return JSON.stringify(runs);
}

/** A broker whose list is that of the minute that the token names. */
async function openBroker() {
  const server = createServer(({ headers, url = '' }, response) => {
    const minute = Number(headers.authorization?.replace('Token ', ''));
    const body = url.startsWith('/api/v1/runs') ? listAt(minute) : '[]';
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return close(server);
    },
  };
}

/** Records from a minute on until it is killed; answers the last poll that it said was done. */
async function recordUntilKilled(directory: string, url: string, from: number, ms: number): Promise<number> {
  const args = [RECORDER, directory, url, String(from)];
  const recorder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  recorder.stdout.setEncoding('utf8').on('data', (text: string) => void (said += text));
  const ended = once(recorder, 'close');
  await Promise.race([once(recorder.stdout, 'data'), ended]);
  await pause(ms);
  recorder.kill('SIGKILL');
  await ended;
  return Number(said.trim().split('\n').at(-1));
}

const minuteOf = (at: number): number => Math.round((at - START) / MINUTE);

/** What the file has, opened as after each start. */
async function readBack(directory: string) {
  const recording = Recording.in(directory, new ListedRuns());
  const { history } = recording;
  const all = { from: 0, until: 2 * START };
  const { runs } = await inSlices(history.observed(all, 1_000_000));
  const { lastPoll = Number.NaN, online } = history.coverage(anOffer().key, all);
  history.close();
  using db = new DatabaseSync(recording.file);
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(recording.replaced).toEqual([]);
  return {
    runs,
    lastPoll: minuteOf(lastPoll),
    online: online.map(({ from, until }) => [minuteOf(from), minuteOf(until)]),
  };
}

/** Polls that are done, and those in which the recorder was killed. */
type Polls = { readonly done: number[]; readonly cut: number[] };

/** What may be recorded of a run that came in a minute: its first and last minute, and its jobs. */
function possible(born: number, { cut, done }: Polls): readonly (readonly [number, number, number])[] {
  const saw = [...done, ...cut]
    .filter((at) => at >= born && at < born + OPEN_MINUTES)
    .toSorted((a, b) => a - b);
  const firstDone = saw.find((at) => done.includes(at)) ?? Number.POSITIVE_INFINITY;
  const lastDone = Math.max(...done.filter((at) => at < born + OPEN_MINUTES));
  return saw
    .filter((first) => first <= firstDone)
    .flatMap((first) =>
      saw
        .filter((last) => last >= first && last >= lastDone)
        .map((last) => [first, Math.max(first, lastDone), last - born + 1] as const),
    );
}

/** The stretches of time that count as known. */
function spansOf(done: readonly number[]): readonly (readonly number[])[] {
  const spans: [number, number][] = [];
  for (const at of done) {
    const last = spans.at(-1);
    if (last !== undefined && at - last[1] <= SHORT_MINUTES) last[1] = at;
    else spans.push([at, at]);
  }
  return spans;
}

function expectRight(runs: readonly PastRun[], polls: Polls): void {
  const listed = new Map(runs.map((run) => [run.run, run]));
  expect(listed.size).toBe(runs.length);
  const wrong = new Set<string>();
  for (const { firstSeen, jobs, lastSeen, run } of runs) {
    const born = Number(run.split('-')[0]);
    const found = [minuteOf(firstSeen), minuteOf(lastSeen), jobs];
    const right = possible(born, polls);
    if (!right.some((one) => one.every((value, at) => value === found[at])))
      wrong.add(`${born}: ${found.join()} is none of ${right.join(' ')}`);
  }
  for (const poll of polls.done)
    for (let born = poll - OPEN_MINUTES + 1; born <= poll; born += 1)
      for (let at = 0; at < NEW_RUNS; at += 1)
        if (!listed.has(`${born}-${at}`)) wrong.add(`${born}: is not recorded in ${poll}`);
  expect([...wrong]).toEqual([]);
}

test('the market history opens after each kill, and is right to the last poll that was written', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'market-killed-'));
  await using broker = await openBroker();
  const random = new SeededRandom(Number(process.env['MARKET_SEED'] ?? 16));
  const polls: Polls = { done: [], cut: [] };
  let from = 10;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const said = await recordUntilKilled(directory, broker.url, from, random.between(0, 400));
    const { lastPoll, online, runs } = await readBack(directory);
    expect([said, said + 1]).toContain(lastPoll);
    for (let minute = from; minute <= lastPoll; minute += 1) polls.done.push(minute);
    polls.cut.push(lastPoll + 1);
    expectRight(runs, polls);
    expect(online).toEqual(spansOf(polls.done).filter(([since, until]) => since !== until));
    from = lastPoll + 1 + Math.ceil(random.between(0, 2) + (kill % 4 === 3 ? 10 : 0));
  }
  rmSync(directory, { recursive: true });
});
