import type { SkipReason } from '../../domain/decide.ts';
import type { Language } from '../../domain/language.ts';

/** The ask of the dry run, in US dollars per job and minute. */
export const DRY_RUN_ASK = 0.05;

/** The expected outcome of a sample: its jobs run and end like this, or its run is skipped. */
export type Expected =
  | {
      readonly kind: 'run';
      readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMEOUT';
      readonly results?: readonly string[];
    }
  | { readonly kind: 'skip'; readonly reason: SkipReason };

/** A run on the market of the dry run. */
export type Sample = {
  readonly name: string;
  /** What it demonstrates. */
  readonly shows: string;
  readonly language: Language;
  readonly image: 'wanted' | 'not-allowed' | 'other-kind';
  readonly code: string;
  /** A Python literal, a tuple of tuples. */
  readonly parameters: string;
  readonly bid: number;
  readonly biggerGpu: boolean;
  readonly expected: Expected;
};

const HELLO_PY = `def handler(event):
    print('Hello', event[0])
    return 'Hello ' + event[0]
`;

const TRAIN_PY = `def handler(event):
    size, rate, epochs, layers = event
    weights = [0.5] * (layers * 8)
    for epoch in range(epochs):
        loss = sum((w - 0.25) ** 2 for w in weights) / len(weights)
        weights = [w - rate * 2 * (w - 0.25) for w in weights]
        print('epoch', epoch + 1, 'loss', round(loss, 6))
    return {'batch': size, 'loss': round(loss, 6)}
`;

const HELLO_JS = `function handler(event) {
  console.log('Hello', event[0])
  return 'Hello ' + event[0]
}
`;

const PRIMES_JS = `async function handler(event) {
  const sieve = new Uint8Array(event[0] + 1)
  let count = 0
  for (let n = 2; n <= event[0]; n++) {
    if (sieve[n]) continue
    count++
    for (let m = n * n; m <= event[0]; m += n) sieve[m] = 1
  }
  console.log(count + ' primes up to ' + event[0])
  return { upTo: event[0], primes: count }
}
`;

const BROKEN_JS = `function handler(event) {
  console.log('opening', event[0])
  throw new Error('no such data set: ' + event[0])
}
`;

const ENDLESS_JS = `function handler() {
  console.log('this will take a while')
  for (;;) {}
}
`;

const PYTHON: readonly Sample[] = [
  {
    name: 'hello-python',
    shows: 'two jobs in Python',
    language: 'python',
    image: 'wanted',
    code: HELLO_PY,
    parameters: "(('Ada',), ('Grace',))",
    bid: 0.12,
    biggerGpu: false,
    expected: { kind: 'run', status: 'SUCCEEDED', results: ['Hello Ada', 'Hello Grace'] },
  },
  {
    name: 'train',
    shows: 'a training loop that prints as it goes',
    language: 'python',
    image: 'wanted',
    code: TRAIN_PY,
    parameters: '((512, 0.2, 5, 2),)',
    bid: 0.25,
    biggerGpu: false,
    expected: { kind: 'run', status: 'SUCCEEDED', results: ["{'batch': 512, 'loss': 0.00105}"] },
  },
];

const NODE: readonly Sample[] = [
  {
    name: 'hello-node',
    shows: 'three jobs in Node.js',
    language: 'node',
    image: 'wanted',
    code: HELLO_JS,
    parameters: "(('Alan',), ('Edsger',), ('Barbara',))",
    bid: 0.1,
    biggerGpu: false,
    expected: { kind: 'run', status: 'SUCCEEDED', results: ['Hello Alan', 'Hello Edsger', 'Hello Barbara'] },
  },
  {
    name: 'primes',
    shows: 'an async handler',
    language: 'node',
    image: 'wanted',
    code: PRIMES_JS,
    parameters: '((1_000_000,),)',
    bid: 0.2,
    biggerGpu: false,
    expected: { kind: 'run', status: 'SUCCEEDED', results: ['{"upTo":1000000,"primes":78498}'] },
  },
];

/** Samples of what can go wrong. */
function failures(language: Language): readonly Sample[] {
  const python = language === 'python';
  const base = { language, image: 'wanted', biggerGpu: false } as const;
  return [
    {
      ...base,
      name: 'broken',
      shows: 'an exception: FAILED, and not paid',
      code: python ? 'def handler(event):\n    return open(event[0]).read()\n' : BROKEN_JS,
      parameters: "(('/nowhere/data.csv',),)",
      bid: 0.08,
      expected: { kind: 'run', status: 'FAILED' },
    },
    {
      ...base,
      name: 'endless',
      shows: 'stopped at its deadline: TIMEOUT, and paid',
      code: python ? 'def handler(event):\n    while True:\n        pass\n' : ENDLESS_JS,
      parameters: '((),)',
      // The best bid, so that it starts first and the others run beside it.
      bid: 0.28,
      expected: { kind: 'run', status: 'TIMEOUT' },
    },
    {
      ...base,
      name: 'cheap',
      shows: 'a bid below the ask',
      code: python ? HELLO_PY : HELLO_JS,
      parameters: "(('nobody',),)",
      bid: 0.01,
      expected: { kind: 'skip', reason: 'bid-below-ask' },
    },
    {
      ...base,
      name: 'off-the-list',
      shows: 'an image that the owner does not allow',
      image: 'not-allowed',
      code: python ? HELLO_PY : HELLO_JS,
      parameters: "(('nobody',),)",
      bid: 0.9,
      expected: { kind: 'skip', reason: 'image-not-allowed' },
    },
    {
      ...base,
      name: 'other-kind',
      shows: 'a run for the other offer type',
      image: 'other-kind',
      code: python ? HELLO_PY : HELLO_JS,
      parameters: "(('nobody',),)",
      bid: 0.3,
      expected: { kind: 'skip', reason: 'wrong-offer-type' },
    },
  ];
}

/** A run that needs a larger GPU; only for a GPU offer. */
function forBiggerGpu(language: Language): Sample {
  return {
    name: 'big-model',
    shows: 'a run for a larger GPU',
    language,
    image: 'wanted',
    code: language === 'python' ? HELLO_PY : HELLO_JS,
    parameters: "(('nobody',),)",
    bid: 1.5,
    biggerGpu: true,
    expected: { kind: 'skip', reason: 'gpu-too-small' },
  };
}

/** The samples for the languages that can run here (at least one) and for a GPU or a CPU offer. */
export function samplesFor(languages: readonly Language[], offer: 'gpu' | 'cpu'): readonly Sample[] {
  const language = languages.includes('node') ? 'node' : 'python';
  return [
    ...(languages.includes('python') ? PYTHON : []),
    ...(languages.includes('node') ? NODE : []),
    ...failures(language),
    ...(offer === 'gpu' ? [forBiggerGpu(language)] : []),
  ];
}
