import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { type Desk, openDesk, TOKEN } from '../../support/broker/desk.ts';
import { engineStandIn } from '../../support/cli/engine-stand-in.ts';
import { readMarketJson } from '../../support/cli/market-json.ts';
import { runProcess } from '../../support/cli/process.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { type Fault, faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { RTX_4080_SUPER } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const GPU_IMAGE = 'sharedcloud/tensorflow-gpu-python36:1.2';
const CPU_IMAGE = 'sharedcloud/python36:latest';

let dir: string;
let bare: Readonly<Record<string, string>>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'market-'));
  const config = join(dir, 'config.toml');
  await writeFile(config, '');
  bare = {
    SHAREDCLOUD_CONFIG: config,
    SHAREDCLOUD_TOKEN: TOKEN,
    SHAREDCLOUD_NVIDIA_SMI: join(dir, 'no-nvidia-smi'),
    DOCKER_HOST: `unix://${join(dir, 'no-docker.sock')}`,
  };
});

afterEach(() => rm(dir, { recursive: true }));

async function look(env: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  const { exit, stderr, stdout } = await runProcess(['market', '--json', ...argv], { ...bare, ...env });
  expect([exit, stderr]).toEqual([0, '']);
  const shown = readMarketJson(stdout);
  const reasons = new Map(shown.runs.map(({ reason, run, taken }) => [run, reason ?? taken]));
  return { ...shown, reasons };
}

/** The catalogue's biggest GPU. */
function biggest({ store }: Desk): string {
  return [...store.gpus.all()].sort((a, b) => b.cudaCores - a.cudaCores)[0]?.uuid ?? '';
}

describe('a host with a GPU', () => {
  test('is shown which runs it would take and why not the others, without claiming', async () => {
    await using desk = await openDesk();
    await using front = await HttpProxy.open(desk.url);
    await using smi = await standIn(RTX_4080_SUPER);
    await using engine = await engineStandIn({}, [GPU_IMAGE]);
    const { fn, store } = desk;
    const stranger = store.addImage({ registryPath: 'stranger/x:1', requiresGpu: true, runtime: 'python36' });
    const strange = store.addFunction({ name: 'x', code: '', image: stranger });
    const cobol = store.addFunction({ name: 'c', code: '', image: desk.image.gpu, runtime: 'cobol85' });
    const gpuRun = { function: fn.gpu, bidPrice: 0.5 };
    const expected = new Map<string, string | number>([
      [desk.addRun({ ...gpuRun, parameters: '((1,),(2,),(3,))', bidPrice: 0.9 }).run, 2],
      [desk.addRun(gpuRun).run, 'no-slot'],
      [desk.addRun({ ...gpuRun, bidPrice: 0.01 }).run, 'bid-below-ask'],
      [desk.addRun({ ...gpuRun, baseGpu: biggest(desk) }).run, 'gpu-too-small'],
      [desk.addRun({ ...gpuRun, jobArguments: ['oops'], bidPrice: 0.95 }).run, 'invalid'],
      [desk.addRun({ ...gpuRun, function: fn.cpu }).run, 'wrong-offer-type'],
      [desk.addRun({ ...gpuRun, function: strange }).run, 'image-not-allowed'],
      [desk.addRun({ ...gpuRun, function: cobol }).run, 'unsupported-runtime'],
    ]);
    const url = front.url;
    const env = {
      SHAREDCLOUD_BROKER_URL: url,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
      DOCKER_HOST: engine.host,
    };
    const { notes, offers, problems, reasons, runs } = await look(
      env,
      '--ask-price',
      '0.1',
      '--slots-per-gpu',
      '2',
    );
    expect(reasons).toEqual(expected);
    expect(runs[0]?.taken).toBe(2);
    expect(offers).toEqual([{ name: 'NVIDIA GeForce RTX 4080 SUPER', slots: 2, askPrice: 0.1 }]);
    expect([problems, notes]).toEqual([[], []]);
    expect(front.calls.every(({ method }) => method === 'GET')).toBe(true);
    expect(store.instances.all()).toEqual([]);
    const states = [...expected.keys()].flatMap((run) => store.jobsOf(run).map(({ status }) => status));
    expect(new Set(states)).toEqual(new Set([JOB_STATUS.CREATED]));
  });

  test('without Docker no image counts as pulled, which is reported', async () => {
    await using desk = await openDesk();
    await using smi = await standIn(RTX_4080_SUPER);
    const { run } = desk.addRun({ function: desk.fn.gpu });
    const env = { SHAREDCLOUD_BROKER_URL: desk.url, SHAREDCLOUD_NVIDIA_SMI: smi.program };
    const { problems, reasons } = await look(env, '--ask-price', '0.1');
    expect(reasons).toEqual(new Map([[run, 'image-not-pulled']]));
    expect(problems).toHaveLength(1);
  });
});

test('a run without an open job is not taken, and the next run is', async () => {
  await using desk = await openDesk();
  await using engine = await engineStandIn({}, [CPU_IMAGE]);
  const done = desk.addRun({ bidPrice: 0.9 });
  const next = desk.addRun({ bidPrice: 0.4, parameters: '((1,),(2,))' });
  const instance = desk.addInstance();
  await desk.call('PATCH', `/instances/${instance}/start/`);
  await desk.call('PATCH', `/jobs/${done.job}/`, { json: { status: JOB_STATUS.IN_PROGRESS, instance } });
  expect(desk.store.job(done.job)?.status).toBe(JOB_STATUS.IN_PROGRESS);
  const env = { SHAREDCLOUD_BROKER_URL: desk.url, DOCKER_HOST: engine.host };
  const { problems, reasons } = await look(env, '--ask-price', '0.1', '--cpu-slots', '2');
  expect(reasons.get(next.run)).toBe(2);
  expect(reasons.get(done.run)).toBe('no-open-jobs');
  expect(problems.map(({ what }) => what)).toEqual(['GPUs']);
});

test('a host without an offer is shown what each run needs', async () => {
  await using desk = await openDesk();
  const baseGpu = biggest(desk);
  const large = desk.addRun({ function: desk.fn.gpu, bidPrice: 0.7, baseGpu });
  const small = desk.addRun({ bidPrice: 0.2 });
  const { offers, reasons, runs, totals } = await look({ SHAREDCLOUD_BROKER_URL: desk.url });
  expect([offers, totals.runs]).toEqual([[], 2]);
  expect([...reasons]).toEqual([large, small].map(({ run }) => [run, 'nothing-offered']));
  const [first = '', second = ''] = runs.map(({ words }) => words);
  expect(first).toContain(desk.store.gpus.get(baseGpu).name);
  expect(first).toContain('$0.70');
  expect(second).toContain('CPU slot');
});

test('what buyers write cannot control the terminal', async () => {
  await using desk = await openDesk();
  const fn = desk.store.addFunction({ name: 'a\u001b[2J\u202eb\n', code: '', image: desk.image.cpu });
  desk.addRun({ function: fn });
  const { stdout } = await runProcess(['market'], { ...bare, SHAREDCLOUD_BROKER_URL: desk.url });
  expect(stdout).toContain(String.raw`a\u{1b}[2J\u{202e}b`);
  for (const steering of ['\u001b', '\u202e']) expect(stdout).not.toContain(steering);
});

test('a long output is whole in a pipe', async () => {
  await using desk = await openDesk();
  for (let index = 0; index < 3_000; index += 1) desk.addRun();
  const { runs, totals } = await look({ SHAREDCLOUD_BROKER_URL: desk.url });
  expect([runs.length, totals.runs]).toEqual([3_000, 3_000]);
});

describe('a broker that', () => {
  const cases: readonly (readonly [string, Fault, number, string])[] = [
    ['answers HTML', faults.html, 4, 'BROKER_NOT_JSON'],
    ['refuses the token', faults.unauthorized, 3, 'BROKER_UNAUTHORIZED'],
    ['cuts connections', faults.cutBefore, 4, 'BROKER_UNREACHABLE'],
  ];
  test.each(cases)('%s', async (_, fault, code, name) => {
    await using desk = await openDesk();
    await using front = await HttpProxy.open(desk.url, () => fault);
    const env = { ...bare, SHAREDCLOUD_BROKER_URL: front.url };
    const { exit, stderr, stdout } = await runProcess(['market'], env);
    expect([exit, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(new RegExp(`^error ${name}: .*\n  hint: `));
  });

  test('fails for functions still has its runs shown', async () => {
    await using desk = await openDesk();
    await using engine = await engineStandIn({}, [CPU_IMAGE]);
    const { run } = desk.addRun();
    await using front = await HttpProxy.open(desk.url, ({ path }) =>
      path.includes('/functions/') ? faults.serverError : undefined,
    );
    const env = { SHAREDCLOUD_BROKER_URL: front.url, DOCKER_HOST: engine.host };
    const { notes, reasons } = await look(env, '--ask-price', '0.1', '--cpu-slots', '1');
    expect(reasons).toEqual(new Map([[run, 'unresolved']]));
    expect(notes).toEqual([expect.stringContaining('500')]);
  });

  test('is not called without a token', async () => {
    const { exit, stderr } = await runProcess(['market'], { ...bare, SHAREDCLOUD_TOKEN: '' });
    expect(exit).toBe(2);
    expect(stderr).toContain('TOKEN_MISSING');
  });
});

describeDocker('at a real engine', (engine) => {
  test('a run whose image is pulled is taken', async () => {
    await using desk = await openDesk();
    const image = desk.store.addImage({ registryPath: PYTHON, requiresGpu: false, runtime: 'python36' });
    const fn = desk.store.addFunction({ name: 'f', code: '', image });
    await engine.docker.getImage(PYTHON).inspect();
    const { run } = desk.addRun({ function: fn });
    const env = { SHAREDCLOUD_BROKER_URL: desk.url, DOCKER_HOST: engine.host };
    const { reasons } = await look(env, '--ask-price', '0.1', '--cpu-slots', '1', '--images', PYTHON);
    expect(reasons).toEqual(new Map([[run, 1]]));
  });
});
