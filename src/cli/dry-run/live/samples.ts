import type { SkipReason } from '../../../domain/decide.ts';
import type { Language } from '../../../domain/language.ts';
import type { GpuLoad } from '../../../embedded/gpu/figures.ts';
import type { ImageKind } from '../market.ts';

/** The ask of a dry run that goes on, in US dollars per job and minute: $0.72 an hour. */
export const LIVE_ASK = 0.012;
/** What power costs there, in US dollars per kWh; its owner has measured nothing at the wall. */
export const LIVE_POWER_PRICE = 0.3;
/** A job that takes longer ends as TIMEOUT. */
export const LIVE_JOB_TIMEOUT_MS = 75_000;

type Range = readonly [from: number, to: number];

/** A function that buyers call again and again. Its arguments are for how many seconds to work, and a seed. */
export type LiveSample = {
  readonly name: string;
  readonly code: Readonly<Record<Language, string>>;
  readonly load: GpuLoad;
  readonly seconds: Range;
  /** US dollars per job and minute. */
  readonly bid: Range;
  readonly jobs: Range;
  /** How often it is ordered, compared with the others. */
  readonly weight: number;
  /** How its jobs end. */
  readonly end: 'succeeded' | 'failed' | 'timeout';
};

const TRAIN: LiveSample = {
  name: 'train-resnet',
  code: {
    node: `async function handler([seconds, seed]) {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms))
  console.log('training resnet50: 50,000 images, batch 256, 20 epochs')
  let loss = 2.31 + (seed % 10) / 50
  for (let epoch = 1; epoch <= 20; epoch++) {
    await wait(seconds * 50)
    loss = loss * 0.88 + 0.012 * ((seed * epoch) % 7) / 7
    const accuracy = 100 * (1 - loss / 2.6)
    console.log('epoch ' + String(epoch).padStart(2) + '/20  loss ' + loss.toFixed(4) + '  accuracy ' + accuracy.toFixed(1) + ' %')
  }
  return { epochs: 20, loss: Number(loss.toFixed(4)) }
}
`,
    python: `import time

def handler(event):
    seconds, seed = event
    print('training resnet50: 50,000 images, batch 256, 20 epochs', flush=True)
    loss = 2.31 + (seed % 10) / 50
    for epoch in range(1, 21):
        time.sleep(seconds / 20)
        loss = loss * 0.88 + 0.012 * ((seed * epoch) % 7) / 7
        accuracy = 100 * (1 - loss / 2.6)
        print('epoch %2d/20  loss %.4f  accuracy %.1f %%' % (epoch, loss, accuracy), flush=True)
    return {'epochs': 20, 'loss': round(loss, 4)}
`,
  },
  load: { utilizationPercent: 96, memoryMiB: 5_120 },
  seconds: [24, 48],
  bid: [0.016, 0.03],
  jobs: [1, 2],
  weight: 4,
  end: 'succeeded',
};

const RENDER: LiveSample = {
  name: 'render-frame',
  code: {
    node: `async function handler([seconds, seed]) {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms))
  console.log('frame ' + (seed % 1000) + ': 1920 x 1080, 256 samples a pixel')
  for (let done = 1; done <= 32; done++) {
    await wait(seconds * 1000 / 32)
    const bar = '#'.repeat(Math.floor(done * 24 / 32)).padEnd(24, '.')
    console.log('tile ' + String(done).padStart(2) + '/32 [' + bar + '] ' + Math.round(done * 100 / 32) + ' %')
  }
  return { frame: seed % 1000, tiles: 32 }
}
`,
    python: `import time

def handler(event):
    seconds, seed = event
    print('frame %d: 1920 x 1080, 256 samples a pixel' % (seed % 1000), flush=True)
    for done in range(1, 33):
        time.sleep(seconds / 32)
        bar = ('#' * (done * 24 // 32)).ljust(24, '.')
        print('tile %2d/32 [%s] %d %%' % (done, bar, done * 100 // 32), flush=True)
    return {'frame': seed % 1000, 'tiles': 32}
`,
  },
  load: { utilizationPercent: 88, memoryMiB: 3_400 },
  seconds: [16, 32],
  bid: [0.014, 0.024],
  jobs: [1, 3],
  weight: 3,
  end: 'succeeded',
};

const TRANSCRIBE: LiveSample = {
  name: 'transcribe',
  code: {
    node: `async function handler([seconds, seed]) {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms))
  const words = 'the quick brown fox jumps over a lazy dog while nobody is looking at the moon'.split(' ')
  let at = 0
  for (let line = 0; line < 10; line++) {
    await wait(seconds * 100)
    const text = Array.from({ length: 6 }, (_, n) => words[(seed + line * 7 + n * 3) % words.length]).join(' ')
    console.log('[' + at.toFixed(1).padStart(5) + ' s] ' + text)
    at += 4.2 + (seed % 5) / 10
  }
  return { lines: 10, audioSeconds: Number(at.toFixed(1)) }
}
`,
    python: `import time

def handler(event):
    seconds, seed = event
    words = 'the quick brown fox jumps over a lazy dog while nobody is looking at the moon'.split()
    at = 0.0
    for line in range(10):
        time.sleep(seconds / 10)
        text = ' '.join(words[(seed + line * 7 + n * 3) % len(words)] for n in range(6))
        print('[%5.1f s] %s' % (at, text), flush=True)
        at += 4.2 + (seed % 5) / 10
    return {'lines': 10, 'audioSeconds': round(at, 1)}
`,
  },
  load: { utilizationPercent: 54, memoryMiB: 1_900 },
  seconds: [8, 14],
  bid: [0.013, 0.02],
  jobs: [2, 4],
  weight: 3,
  end: 'succeeded',
};

const FAILS: LiveSample = {
  name: 'fine-tune',
  code: {
    node: `async function handler([seconds]) {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms))
  console.log('loading 7,241 documents')
  await wait(seconds * 500)
  console.log('tokenizing shard 3 of 8')
  await wait(seconds * 500)
  throw new Error('shard 4: expected 1,024 tokens, got 1,019')
}
`,
    python: `import time

def handler(event):
    print('loading 7,241 documents', flush=True)
    time.sleep(event[0] / 2)
    print('tokenizing shard 3 of 8', flush=True)
    time.sleep(event[0] / 2)
    raise ValueError('shard 4: expected 1,024 tokens, got 1,019')
`,
  },
  load: { utilizationPercent: 35, memoryMiB: 4_300 },
  seconds: [11, 15],
  bid: [0.015, 0.02],
  jobs: [1, 1],
  weight: 0.8,
  end: 'failed',
};

const ENDLESS: LiveSample = {
  name: 'fold-protein',
  code: {
    node: `async function handler([seconds, seed]) {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms))
  for (let step = 1; ; step++) {
    await wait(1500)
    console.log('step ' + step * 500 + '  energy ' + (-1200 - 40 * Math.log(step) - (seed % 9)).toFixed(2) + ' kJ/mol')
  }
}
`,
    python: `import math
import time

def handler(event):
    step = 0
    while True:
        step += 1
        time.sleep(1.5)
        print('step %d  energy %.2f kJ/mol' % (step * 500, -1200 - 40 * math.log(step) - event[1] % 9), flush=True)
`,
  },
  load: { utilizationPercent: 99, memoryMiB: 2_600 },
  seconds: [3_600, 3_600],
  bid: [0.02, 0.022],
  jobs: [1, 1],
  weight: 0.4,
  end: 'timeout',
};

/** What buyers order. The first ones come first, so that a visitor soon sees one of each. */
export const LIVE_SAMPLES: readonly LiveSample[] = [TRAIN, TRANSCRIBE, RENDER, FAILS, ENDLESS];

/** A run that no offer takes. */
export type RefusedSample = {
  readonly name: string;
  readonly bid: number;
  readonly reason: SkipReason;
  readonly image: ImageKind;
  readonly biggerGpu: boolean;
  readonly jobs: number;
};

const WANTED = { image: 'wanted', biggerGpu: false } as const;

/** One run for each reason that does not need an owner to do something. */
export const REFUSED_SAMPLES: readonly RefusedSample[] = [
  { ...WANTED, name: 'cheap-search', bid: 0.004, reason: 'bid-below-ask', jobs: 40 },
  {
    name: 'mine-hashes',
    bid: 0.09,
    reason: 'image-not-allowed',
    image: 'not-allowed',
    biggerGpu: false,
    jobs: 2,
  },
  {
    name: 'compress-logs',
    bid: 0.015,
    reason: 'wrong-offer-type',
    image: 'other-kind',
    biggerGpu: false,
    jobs: 6,
  },
  { ...WANTED, name: 'serve-400b', bid: 0.35, reason: 'gpu-too-small', biggerGpu: true, jobs: 1 },
  {
    name: 'plot-in-r',
    bid: 0.02,
    reason: 'unsupported-runtime',
    image: 'unknown-runtime',
    biggerGpu: false,
    jobs: 1,
  },
  { name: 'segment-scan', bid: 0.025, reason: 'image-failed', image: 'missing', biggerGpu: false, jobs: 3 },
];
