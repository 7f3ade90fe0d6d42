import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const HOOKS = resolve(import.meta.dirname, '../../../packaging/slurm');

/** What `slurmd -G` prints for a node whose gres.conf has two models and does not begin with the first device. */
const GRES = `slurmd: Gres Name=gpu Type=a100 Count=2 Index=0 ID=7696487 File=/dev/nvidia[2-3] (null)
slurmd: Gres Name=gpu Type=t4 Count=3 Index=7 ID=7696487 File=/dev/nvidia[0,5],/dev/nvidia7 Cores=0-1 CoreCnt=4 Links=-1
slurmd: Gres Name=gpu Type=a100_1g.5gb Count=1 Index=66 ID=7696487 File=/dev/nvidia1,/dev/nvidia-caps/nvidia-cap[66-67] (null)
slurmd: Gres Name=craynetwork Type=(null) Count=4 ID=1 (null)
slurmd: Gres Name=gpu Type=mi Count=1 Index=128 ID=7696487 File=/dev/dri/renderD128 (null)
`;

let directory = '';
const called = (): string => join(directory, 'called');

/** A stand-in for the agent's command, which notes how it was called and ends with the code that the environment sets. */
const AGENT = `#!/bin/sh
case $1 in health) exit "\${STAND_IN_HEALTH:-0}" ;; esac
for word; do printf '%s\\n' "$word" >>"$CALLED"; done
exit "\${STAND_IN_CODE:-0}"
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slurm-hooks-'));
  await writeFile(join(directory, 'agent'), AGENT, { mode: 0o755 });
  await writeFile(join(directory, 'gres'), GRES);
  await writeFile(join(directory, 'slurmd'), '#!/bin/sh\ncat "${0%slurmd}gres"\n', { mode: 0o755 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs a hook as slurmd does; answers its exit code and the words that the agent's command got. */
async function hook(name: 'prolog' | 'epilog', more: Readonly<Record<string, string>>) {
  await rm(called(), { force: true });
  const env = {
    AGENT: join(directory, 'agent'),
    SLURMD: join(directory, 'slurmd'),
    CALLED: called(),
    SLURM_JOB_ID: '12',
    SLURM_JOB_USER: 'ada',
    SLURM_JOB_CPUS_PER_NODE: '0',
    ...more,
  };
  const code = await new Promise<number>((done) => {
    execFile(join(HOOKS, `${name}.sh`), { env }, (error) => done(error === null ? 0 : Number(error.code)));
  });
  const words = existsSync(called()) ? (await readFile(called(), 'utf8')).trim().split('\n') : [];
  return { code, words };
}

/** What the prolog names to take back, after the words that are always the same. */
async function taken(more: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { code, words } = await hook('prolog', more);
  expect(code).toBe(0);
  if (words.length === 0) return [];
  expect(words.slice(0, 6)).toEqual([
    'reclaim',
    '--yes',
    '--tag',
    'slurm:12',
    '--note',
    'Slurm job 12 of ada',
  ]);
  return words.slice(6);
}

describe('the prolog takes back', () => {
  test.each([
    ['a GPU by its place in gres.conf', { SLURM_JOB_GPUS: '0' }, '2'],
    ['several, in ranges and lists', { SLURM_JOB_GPUS: '1,2,3,4' }, '3,0,5,7'],
    ['the GPU of a slice whose uuid Slurm does not know', { SLURM_JOB_GPUS: '5' }, '1'],
    ['a step’s GPU', { SLURM_STEP_GPUS: '1' }, '3'],
    ['a GPU that only CUDA’s variable names', { CUDA_VISIBLE_DEVICES: '3' }, '5'],
    ['Nvidia’s alone', { SLURM_JOB_GPUS: '6,0' }, '2'],
    ['a GPU that slurmd does not show by its number as it is', { SLURM_JOB_GPUS: '9' }, '9'],
    ['a pattern as it is, never the files that it matches', { SLURM_JOB_GPUS: '*' }, '*'],
    ['a GPU where slurmd fails, likewise', { SLURM_JOB_GPUS: '0', SLURMD: '/none/slurmd' }, '0'],
  ])('%s', async (_name, env, minors) => {
    expect(await taken(env)).toEqual(['--gpu-minor', minors]);
  });

  test('slices by their uuids, beside whole GPUs', async () => {
    expect(
      await taken({ SLURM_JOB_GPUS: '5,0,7', CUDA_VISIBLE_DEVICES: 'MIG-11111111-a,0,GPU-22222222-b' }),
    ).toEqual(['MIG-11111111-a', 'GPU-22222222-b', '--gpu-minor', '2']);
  });

  test('nothing of another maker’s', async () => {
    expect(await taken({ SLURM_JOB_GPUS: '6' })).toEqual([]);
  });

  const all = String(cpus().length);

  test.each([
    [all, ['cpu']],
    [`${all}(x2)`, ['cpu']],
    [`${all}(x2),0`, []],
    ['rubbish', []],
  ])('the CPU slots only of a job that has all CPUs: %s', async (each, words) => {
    expect(await taken({ SLURM_JOB_CPUS_PER_NODE: each })).toEqual(words);
  });
});

describe('the prolog ends', () => {
  const one = { SLURM_JOB_GPUS: '0' };

  test.each([
    ['with 0 where the agent is not installed', { ...one, AGENT: '/none/agent' }, 0],
    ['with 0 where no agent runs', { ...one, STAND_IN_CODE: '1', STAND_IN_HEALTH: '1' }, 0],
    ['with 1 where a running agent could not free the memory', { ...one, STAND_IN_CODE: '1' }, 1],
    ['with 0 outside of a job', { SLURM_JOB_ID: '' }, 0],
    ['with 1 where the agent refuses a list that is none', { SLURM_JOB_GPUS: '*', STAND_IN_CODE: '2' }, 1],
  ])('%s', async (_name, env, code) => {
    expect((await hook('prolog', env)).code).toBe(code);
  });
});

describe('the epilog', () => {
  test('ends only the pauses of its own job', async () => {
    expect(await hook('epilog', { SLURM_JOB_GPUS: '0' })).toEqual({
      code: 0,
      words: ['resume', '--tag', 'slurm:12'],
    });
  });

  test.each([['SLURM_JOB_GPUS'], ['SLURM_JOB_CPUS_PER_NODE'], ['SLURM_JOB_USER']])(
    'does so also without %s, which only the prolog gets',
    async (name) => {
      expect((await hook('epilog', { [name]: '' })).words).toEqual(['resume', '--tag', 'slurm:12']);
    },
  );

  test.each([
    ['where the agent is not installed', { SLURM_JOB_GPUS: '0', AGENT: '/none/agent' }],
    ['outside of a job', { SLURM_JOB_ID: '' }],
  ])('does nothing %s', async (_name, env) => {
    expect(await hook('epilog', env)).toEqual({ code: 0, words: [] });
  });

  test('never drains the node', async () => {
    expect((await hook('epilog', { SLURM_JOB_GPUS: '0', STAND_IN_CODE: '1' })).code).toBe(0);
  });
});
