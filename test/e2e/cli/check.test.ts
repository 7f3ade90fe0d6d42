import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { openDesk, TOKEN } from '../../support/broker/desk.ts';
import { lineOf, readChecked } from '../../support/cli/checked.ts';
import { engineStandIn } from '../../support/cli/engine-stand-in.ts';
import { runProcess } from '../../support/cli/process.ts';
import { describeDocker, describeGpuStandIn, type TestEngine } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';
import { type Fault, faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { H100_MIG, RTX_4080_SUPER, TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';
import { CertificateAuthority } from '../../support/tls-certificates.ts';

/** Nothing listens there: it is the port of a service that nobody runs any more. */
const NOBODY = 'http://127.0.0.1:1';

let dir: string;
/** Everything missing, and nothing of this machine's own Docker, GPU or configuration seen. */
let bare: Readonly<Record<string, string>>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'check-'));
  const config = join(dir, 'config.toml');
  await writeFile(config, '');
  bare = {
    SHAREDCLOUD_CONFIG: config,
    SHAREDCLOUD_BROKER_URL: NOBODY,
    SHAREDCLOUD_STATE_DIR: join(dir, 'state'),
    SHAREDCLOUD_NVIDIA_SMI: join(dir, 'no-nvidia-smi'),
    SHAREDCLOUD_MIN_FREE_DISK: '0 B',
    DOCKER_HOST: `unix://${join(dir, 'no-docker.sock')}`,
  };
});

afterEach(() => rm(dir, { recursive: true }));

async function check(env: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  const ran = await runProcess(['check', '--json', ...argv], { ...bare, ...env });
  expect(ran.stderr).toBe('');
  const checked = readChecked(ran.stdout);
  expect(ran.exit).toBe(checked.ready ? 0 : 1);
  return { ...checked, line: (name: string) => lineOf(checked, name), stdout: ran.stdout };
}

describe('variables that the Docker client library reads by itself', () => {
  test('a directory of certificates without one for the client is no error of the agent', async () => {
    using authority = new CertificateAuthority();
    await writeFile(join(dir, 'ca.pem'), authority.pem);
    const { line } = await check({ DOCKER_HOST: 'tcp://127.0.0.1:1', DOCKER_CERT_PATH: dir });
    expect(line('docker')).toContain('ECONNREFUSED');
  });

  test('a flag takes precedence over a DOCKER_HOST that cannot be used', async () => {
    const { line } = await check({ DOCKER_HOST: 'x y' }, '--docker-host', 'tcp://127.0.0.1:1');
    expect(line('docker')).toContain('ECONNREFUSED');
  });
});

describe('with all that a job needs', () => {
  test('it is ready, reports what it found, and changes nothing', async () => {
    await using desk = await openDesk();
    await using front = await HttpProxy.open(desk.url);
    await using smi = await standIn(H100_MIG);
    await using engine = await engineStandIn();
    const checked = await check({
      SHAREDCLOUD_BROKER_URL: front.url,
      SHAREDCLOUD_TOKEN: TOKEN,
      SHAREDCLOUD_ASK_PRICE: '0.05',
      SHAREDCLOUD_CPU_SLOTS: '2',
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
      DOCKER_HOST: engine.host,
    });
    expect(checked.ready).toBe(true);
    // The stand-in for an engine is of no architecture, and runs no containers.
    expect(checked.line('container')).toMatch(/^warn: /);
    expect(checked.checks.map(({ check }) => check)).toEqual([
      'node',
      'host',
      'configuration',
      'ask price',
      'state directory',
      'status page',
      'token',
      'proxy',
      'broker',
      'clock',
      'docker',
      'registries',
      'gpu access',
      // Docker and the driver of this test are old, and there is no toolkit to ask.
      'known vulnerabilities',
      'known vulnerabilities',
      'known vulnerabilities',
      'container',
      'job network',
      'driver',
      'gpu 0',
      'gpu 0 entry',
      'gpu 1',
      'gpu 1 entry',
      'kernel log',
      'owner presence',
      'cpu jobs',
      'disk',
      'memory',
    ]);
    expect(checked.line('docker')).toMatch(/^ok: .*28\.1\.0.*1\.2\.8.*overlay2/);
    expect(checked.line('driver')).toMatch(/^ok: 570\.124\.06/);
    expect(checked.line('gpu 0')).toMatch(
      /^ok: NVIDIA H100 80GB HBM3 \(GPU-11111111\).*3g\.40gb, 1g\.10gb, 1g\.10gb\+me/,
    );
    expect(checked.line('gpu 0 entry')).toMatch(/^ok: Nvidia H100 80GB.*, 3 slots$/);
    expect(checked.line('clock')).toMatch(/^ok: /);
    expect(checked.line('cpu jobs')).toMatch(/^ok: 2/);
    expect(checked.stdout).not.toContain(TOKEN);
    expect(checked.configuration).toContainEqual({
      option: 'token',
      value: '[redacted]',
      source: { kind: 'env', name: 'SHAREDCLOUD_TOKEN' },
    });
    expect(front.calls.every(({ method }) => method === 'GET')).toBe(true);
    await expect(access(join(dir, 'state'))).rejects.toThrow('ENOENT');
  });

  test('a running agent on the state directory is no failure', async () => {
    const state = openStateDir(join(dir, 'state'));
    try {
      const { line } = await check({});
      expect(line('state directory')).toMatch(/^ok: /);
      expect(line('state directory')).toContain(`(process ${process.pid})`);
    } finally {
      state.close();
    }
  });

  test('people get a table, without anything that steers their terminal', async () => {
    const [gpu] = RTX_4080_SUPER.gpus;
    if (gpu === undefined) throw new Error('a machine without a GPU');
    const cells = { ...gpu.cells, name: 'NVIDIA \u001b[2J RTX' };
    await using smi = await standIn({ ...RTX_4080_SUPER, gpus: [{ ...gpu, cells }] });
    const { exit, stdout } = await runProcess(['check'], { ...bare, SHAREDCLOUD_NVIDIA_SMI: smi.program });
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^ok {4}gpu 0 +NVIDIA \\u\{1b\}\[2J RTX \(GPU-11111111\)/m);
    expect(stdout).toMatch(/^FAIL {2}token {2}.*\n(?: .*\n)*? +hint: /m);
    expect(stdout).toMatch(/^OPTION +VALUE +FROM$/m);
    expect(stdout).not.toContain('\u001b');
  });
});

describe('with something missing', () => {
  test('everything that is missing is reported at once', async () => {
    const { checks, line } = await check({});
    const failed = checks.filter(({ level }) => level === 'fail').map(({ check }) => check);
    expect(failed).toEqual(['ask price', 'token', 'broker', 'docker', 'driver']);
    expect(checks.filter(({ level, hint }) => level === 'fail' && hint === null)).toEqual([]);
    expect(line('driver')).toContain('--cpu-slots');
  });

  test('no GPU is a warning where CPU jobs are offered', async () => {
    const { line } = await check({ SHAREDCLOUD_CPU_SLOTS: '1', SHAREDCLOUD_ASK_PRICE: '0.01' });
    expect(line('driver')).toMatch(/^warn: /);
  });

  test('an invalid option ends the command', async () => {
    const { exit, stderr, stdout } = await runProcess(['check', '--ask-price', 'abc'], bare);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toContain('CONFIG_INVALID');
  });

  test('a token that others may read is not used, and the broker is checked all the same', async () => {
    await using desk = await openDesk();
    const file = join(dir, 'token');
    await writeFile(file, `${TOKEN}\n`);
    await chmod(file, 0o644);
    const { line } = await check({ SHAREDCLOUD_BROKER_URL: desk.url }, '--token-file', file);
    expect(line('token')).toMatch(/^fail: .*0644/);
    expect(line('token').endsWith(` -> chmod 600 ${file}`)).toBe(true);
    expect(line('broker')).toMatch(/^ok: /);
    await chmod(file, 0o600);
    const fixed = await check({ SHAREDCLOUD_BROKER_URL: desk.url }, '--token-file', file);
    expect(fixed.line('token')).toMatch(/^ok: /);
    expect(fixed.line('token')).toContain(file);
    expect(fixed.line('broker')).toMatch(/^ok: .* \d+ ms/);
  });

  test('a GPU that the catalogue does not know says what to write where', async () => {
    const other = { uuid: randomUUID(), name: 'Nvidia Tesla K80', codename: 'k80', cudaCores: 2496 };
    await using desk = await openDesk({ catalogue: [other] });
    await using smi = await standIn(RTX_4080_SUPER);
    const { line } = await check({
      SHAREDCLOUD_BROKER_URL: desk.url,
      SHAREDCLOUD_TOKEN: TOKEN,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
    });
    expect(line('gpu 0 entry')).toContain('[gpu."NVIDIA GeForce RTX 4080 SUPER"] catalogue = "..."');
    expect(line('broker')).toMatch(/^ok: .*1 GPU/);
  });

  test('an empty catalogue is reported once, with the broker', async () => {
    await using desk = await openDesk({ catalogue: [] });
    await using smi = await standIn(RTX_4080_SUPER);
    const { line } = await check({
      SHAREDCLOUD_BROKER_URL: desk.url,
      SHAREDCLOUD_TOKEN: TOKEN,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
    });
    expect(line('gpu entries')).toMatch(/^fail: .* -> /);
    expect(line('broker')).toMatch(/^warn: .*0 GPUs.* -> /);
  });

  test('a state directory that is a file, and one below it', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'below')]) {
      const { line } = await check({ SHAREDCLOUD_STATE_DIR: path });
      expect(line('state directory')).toMatch(/^fail: .* -> .*--state-dir/);
      expect(line('state directory')).toContain(file);
    }
  });
});

/** Nobody may have asked yet how a killed process ended: it is dead all the same. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

describe('with something that hangs', () => {
  test('nvidia-smi, Docker and the broker, all at once', async () => {
    await using desk = await openDesk();
    await using front = await HttpProxy.open(desk.url, () => faults.hang);
    await using engine = await EngineProxy.hanging();
    await using smi = await standIn({ ...RTX_4080_SUPER, fault: { kind: 'hang' } });
    const { line } = await check({
      SHAREDCLOUD_BROKER_URL: front.url,
      SHAREDCLOUD_TOKEN: TOKEN,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
      DOCKER_HOST: engine.host,
    });
    expect(line('driver')).toMatch(/^fail: .*15 s.* -> /);
    expect(line('docker')).toMatch(/^fail: .*25 s.* -> /);
    expect(line('broker')).toMatch(/^fail: \S/);
    const [call] = await smi.calls();
    await expect.poll(() => isRunning(call?.pid ?? process.pid)).toBe(false);
  });
});

describe('a broker that', () => {
  const cases: readonly (readonly [string, Fault, RegExp])[] = [
    ['answers HTML', faults.html, /^fail: .*<!doctype html>.* -> \S/],
    ['refuses the token', faults.unauthorized, /^fail: .* -> \S/],
    ['is broken', faults.serverError, /^fail: .*500.* -> \S/],
    ['cuts connections', faults.cutBefore, /^fail: .* -> \S/],
    ['sends us away', faults.redirect('http://127.0.0.2/'), /^fail: .* http:\/\/127\.0\.0\.2 -> /],
  ];
  test.each(cases)('%s', async (_, fault, expected) => {
    await using desk = await openDesk();
    await using front = await HttpProxy.open(desk.url, () => fault);
    const env = { SHAREDCLOUD_BROKER_URL: front.url, SHAREDCLOUD_TOKEN: TOKEN };
    const { line } = await check(env);
    expect(line('broker')).toMatch(expected);
    expect(line('clock')).toMatch(/^warn: /);
  });

  test('has another time is a warning', async () => {
    const clock = { now: () => Date.now() + 90_000, monotonic: () => performance.now() };
    await using desk = await openDesk({ clock });
    const { line } = await check({ SHAREDCLOUD_BROKER_URL: desk.url, SHAREDCLOUD_TOKEN: TOKEN });
    expect(line('clock')).toMatch(/^warn: .*1m(29|30|31)s ahead.* -> /);
  });
});

/** The containers of any agent at the engine that a `check` has made, also one that is over. */
async function containersOfCheck({ docker }: TestEngine): Promise<readonly string[]> {
  const filters = JSON.stringify({ label: ['sharedcloud.agent=check'] });
  return (await docker.listContainers({ all: true, filters })).map(({ Id }) => Id);
}

describeDocker('at a real engine', (engine) => {
  test('Docker is reported with its version', async () => {
    const { line } = await check({ DOCKER_HOST: engine.host });
    // A busy machine makes it slow, which is a warning.
    expect(line('docker')).toMatch(
      /^(?:ok|warn): Docker \d+\.\d+\.\d+, runc \d.*, seccomp on, at \S+ \(DOCKER_HOST\)(?:$|, slow: )/,
    );
  });

  test('a container is tried, without a state directory and beside it, and nothing stays', async () => {
    const absent = await check({ DOCKER_HOST: engine.host });
    expect(absent.line('container')).toMatch(/^ok: /);
    expect(await readdir(dir)).toEqual(['config.toml']);
    const abandoned = join(dir, 'state', '.sharedcloud-check-abcdef');
    await mkdir(abandoned, { recursive: true, mode: 0o700 });
    await utimes(abandoned, 1, 1);
    const there = await check({ DOCKER_HOST: engine.host });
    expect(there.line('container')).toMatch(/^ok: /);
    expect(await readdir(join(dir, 'state'))).toEqual([]);
    expect(await containersOfCheck(engine)).toEqual([]);
  });

  test('a container that cannot be started fails the check, with the engine’s words', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const message = 'OCI runtime create failed: cgroup: no such device';
    proxy.plan = ({ name }) => (name === 'start' ? { answer: 500, message } : 'pass');
    await using smi = await standIn(RTX_4080_SUPER);
    const { line, checks } = await check({
      DOCKER_HOST: proxy.host,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
    });
    expect(line('container')).toMatch(/^fail: .* -> .*cgroup/);
    expect(line('container')).toContain(message);
    expect(checks.map(({ check }) => check)).not.toContain('gpu 0 container');
    expect(await containersOfCheck(engine)).toEqual([]);
  });

  test('an engine that never answers a start does not hold the check up', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    proxy.plan = ({ name }) => (name === 'start' ? 'blackhole' : 'pass');
    const began = performance.now();
    const { line } = await check({ DOCKER_HOST: proxy.host });
    expect(line('container')).toMatch(/^fail: .* [12]\d(\.\d+)? s/);
    expect(performance.now() - began).toBeLessThan(40_000);
    expect(await containersOfCheck(engine)).toEqual([]);
  });
});

describeGpuStandIn('with GPUs', (engine) => {
  test('a container with each GPU is tried', async () => {
    await using smi = await standIn(TWO_T4);
    const { line } = await check({ DOCKER_HOST: engine.host, SHAREDCLOUD_NVIDIA_SMI: smi.program });
    expect(line('gpu 0 container')).toMatch(/^ok: /);
    expect(line('gpu 1 container')).toMatch(/^ok: /);
  });

  test('a GPU that the engine cannot give to a container fails', async () => {
    await using proxy = await EngineProxy.start(engine.host);
    const message = 'could not select device driver "nvidia" with capabilities: [[gpu]]';
    // The first start is of the container without a GPU.
    proxy.plan = ({ count, name }) => (name === 'start' && count > 1 ? { answer: 500, message } : 'pass');
    await using smi = await standIn(TWO_T4);
    const { line } = await check({ DOCKER_HOST: proxy.host, SHAREDCLOUD_NVIDIA_SMI: smi.program });
    expect(line('container')).toMatch(/^ok: /);
    expect(line('gpu 1 container')).toMatch(/^fail: .* -> \S/);
    expect(line('gpu 1 container')).toContain('could not select device driver');
    expect(await containersOfCheck(engine)).toEqual([]);
  });
});
