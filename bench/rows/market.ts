import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decide, decideInSteps, type MarketKnowledge } from '../../src/domain/decide.ts';
import type { OpenRun } from '../../src/domain/run.ts';
import { inSlices } from '../../src/lib/slices.ts';
import { anOffer, anOpenRun, IMAGE_NAME } from '../../test/support/domain.ts';
import { openScene } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { until } from '../measure/until.ts';
import type { Figure, Ground, Row } from '../row.ts';

const KNOWLEDGE: MarketKnowledge = {
  catalogue: new Map(),
  images: ['sharedcloud/*'],
  imageState: (ref) => (ref === IMAGE_NAME ? 'ready' : 'missing'),
  backoff: new Map(),
};

/** The duration of decisions about large markets, and the cost of an unchanged list. */
export const market: Row = {
  name: 'market',
  measure: async (ground) => {
    const sizes = ground.quick ? [100, 1_000] : [100, 10_000, 100_000];
    const largest = sizes.at(-1) ?? 0;
    return [
      ...sizes.map((size) => decision(size, size === largest)),
      await longestTurn(largest),
      ...(await unchanged(ground, largest)),
    ];
  },
};

function decision(size: number, isLargest: boolean): Figure {
  const open = marketOf(size);
  const offer = anOffer();
  const times: number[] = [];
  const rounds = Math.max(10, Math.min(200, 1e6 / size));
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    decide(open, offer, 4, KNOWLEDGE, 0);
    times.push(performance.now() - began);
  }
  const targets = isLargest ? [{ of: 'median', atMost: 150 } as const] : [];
  return figureOf({ what: `decision about ${size.toLocaleString('en')} runs`, unit: 'ms', targets }, times);
}

/** CPU time of the longest turn of the event loop while an offer decides on new runs, as the claim loop does. */
async function longestTurn(size: number): Promise<Figure> {
  const turns: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const open = marketOf(size);
    let longest = 0;
    let before = cpuMs();
    let isOver = false;
    const turn = (): void => {
      const now = cpuMs();
      longest = Math.max(longest, now - before);
      before = now;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await pause(10);
    longest = 0;
    await inSlices(decideInSteps(open, anOffer(), 4, KNOWLEDGE, 0));
    isOver = true;
    turns.push(longest);
  }
  return figureOf(
    {
      what: `longest turn of the event loop while ${size.toLocaleString('en')} new runs are decided on (CPU)`,
      unit: 'ms',
      targets: [{ of: 'median', atMost: 10 }],
    },
    turns,
  );
}

function cpuMs(): number {
  const { system, user } = process.threadCpuUsage();
  return (system + user) / 1000;
}

/** Mixed runs: half of them pay, some are resolved, bids and ages are unordered. */
function marketOf(size: number): readonly OpenRun[] {
  return Array.from({ length: size }, (_, index) => {
    const mixed = (index * 7_919) % 10_007;
    const run = { uuid: `run-${index}`, bidPrice: (mixed % 200) / 1_000, createdAt: mixed };
    return mixed % 3 === 0 ? anOpenRun(run) : anOpenRun(run, { function: undefined, image: undefined });
  });
}

/** An agent at a large market that does not change. */
async function unchanged(ground: Ground, size: number): Promise<readonly Figure[]> {
  await using scene = await openScene(ground, 1, {
    holdsCalls: false,
    settings: { SHAREDCLOUD_POLL_INTERVAL: '1s' },
  });
  const { store, tally } = scene;
  const image = store.addImage({
    registryPath: 'sharedcloud/other:latest',
    requiresGpu: false,
    runtime: 'python36',
  });
  const fn = store.addFunction({ name: 'cheap', code: 'pass', image });
  // Below the ask: the whole market is evaluated, and nothing is claimed.
  for (let index = 0; index < size; index += 1)
    store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 0.01 });
  await using _agent = await scene.start();
  const polls = () => tally.calls.filter(({ call }) => call === 'GET /api/v1/runs');
  await until('the market was read', () => polls().some(({ status }) => status === 200));
  const before = polls().length;
  await until('unchanged polls', () => polls().length >= before + (ground.quick ? 2 : 20));
  const later = polls().slice(before);
  return [
    figureOf(
      { what: 'answer to a poll of an unchanged list', unit: 'bytes', targets: [{ of: 'p95', atMost: 0 }] },
      later.map(({ bytes }) => bytes),
    ),
    await memoryAfter(size),
  ];
}

/** The memory that a decision leaves after garbage collection. */
async function memoryAfter(size: number): Promise<Figure> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (!isCollector(collect)) throw new Error('this Node.js does not let its garbage be collected');
  const settle = async (): Promise<number> => {
    for (let times = 0; times < 3; times += 1) {
      collect();
      await pause(10);
    }
    return process.memoryUsage().heapUsed;
  };
  const open = marketOf(size);
  decide(open, anOffer(), 4, KNOWLEDGE, 0);
  const left: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const before = await settle();
    decide(open, anOffer(), 4, KNOWLEDGE, 0);
    left.push(((await settle()) - before) / 1e6);
  }
  return figureOf(
    { what: 'memory that a decision leaves', unit: 'MB', targets: [{ of: 'median', atMost: 1 }] },
    left,
  );
}

function isCollector(value: unknown): value is () => void {
  return typeof value === 'function';
}
