import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const STREAM = 'src/gpu/sample-stream.ts';
const SAMPLER = 'src/gpu/nvidia-sampler.ts';
const SAMPLER_TEST = 'test/unit/gpu/nvidia-sampler.test.ts';
const ROW_TEST = 'test/unit/gpu/sample-row.test.ts';

const rows: readonly MutationRow[] = [
  [
    'an nvidia-smi that prints without end is stopped',
    STREAM,
    'if (bucket.take(length, maxBytes / 4) < 0)',
    'if (bucket.take(0, 1) < 0)',
    SAMPLER_TEST,
    'and prints without end is stopped',
  ],
  [
    'an nvidia-smi that falls silent is killed',
    STREAM,
    'withDeadline({ ms: startMs,',
    'withDeadline({ ms: 2 ** 30,',
    SAMPLER_TEST,
    'and falls silent is killed, asked singly, and never has a second process',
  ],
  [
    'GPUs that sleep are not woken for samples',
    SAMPLER,
    'else if (this.allAsleep)',
    'else if (false)',
    SAMPLER_TEST,
    'leaves GPUs asleep, and says so',
  ],
  [
    'GPUs that sleep are not woken to check their health',
    'src/agent/gpu-health/gpu-poller.ts',
    'if (!this.#deps.allAsleep()) await',
    'await',
    'test/unit/agent/gpu-health/gpu-poller.test.ts',
    'polls every minute, and leaves GPUs asleep',
  ],
  [
    'what is no measurement is unknown',
    'src/gpu/sample-row.ts',
    'return value !== undefined && value <= max ? value : undefined;',
    'return value;',
    ROW_TEST,
    'has no figure in a cell %s',
  ],
  [
    'a process that survives its kill keeps the next one from being started',
    'src/gpu/nvidia-smi.ts',
    'const hung = this.#hung ?? this.#killedFollowed?.pid;',
    'const hung = this.#hung;',
    'test/unit/gpu/nvidia-smi.test.ts',
    'that was followed and survives its kill prevents another, until it is gone',
  ],
  [
    'a GPU that is too hot gets no jobs',
    'src/agent/gpu-health/thermals.ts',
    "cordons.cordon('temperature', uuid, {",
    'void ({',
    'test/unit/agent/gpu-health/thermals.test.ts',
    'a GPU at the limit of its model gets no jobs until it is 5 K below, and each change is said once',
  ],
  [
    'a disk that refuses the use of GPUs stops nothing',
    'src/agent/gpu-health/rollup-recorder.ts',
    'if (this.#problem.isNew(code))',
    'throw thrown;',
    'test/unit/agent/gpu-health/rollup-recorder.test.ts',
    'a disk that refuses it is logged once, and what could not be written is written later',
  ],
];

/** What keeps the sampling of GPUs harmless. */
export const GPU_SAMPLES: readonly Mutation[] = mutationsOf(rows);
