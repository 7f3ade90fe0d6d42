import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runProcess } from '../../support/cli/process.ts';
import { SmallDisk, whyNot } from '../../support/disk/disks.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { openScenario, TOKEN } from '../../support/e2e/scenario.ts';
import { INFO, VERSION } from '../../support/engine/facts.ts';
import { scriptedEngine } from '../../support/engine/scripted-engine.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { leaveOut } from '../../support/leave-out.ts';
import { filesIn, leaksOf } from '../../support/secrets/leaks.ts';

/** What must not be in a bundle, by where it stands on the host. */
const SECRETS = {
  proxy: 'proxy-passw0rd-Zx',
  webhookPath: 'T0PSECRET-webhook-path',
  topic: 'a-topic-n0body-guesses',
  webhookSecret: 'webhook-hmac-s3cret+/=',
  ntfyToken: 'ntfy-access-t0ken',
  pagePassword: 'page-passw0rd+/="x',
  metricsToken: 'metrics-bearer-t0ken',
  logged: 'l0gged-credential',
  engine: 'registry-passw0rd',
  unit: 'unit-environment-s3cret',
  serial: '1320619012345',
  process: 'buyers-own-program',
  functionName: 'buyers-secret-function',
  address: '93.184.216.34',
};

const MANIFEST = z.object({
  schema: z.literal(1),
  leftOut: z.array(z.string()),
  files: z.array(
    z.object({ file: z.string(), how: z.string(), why: z.string().nullable(), bytes: z.number().nullable() }),
  ),
});

/** Programs of the host, each of which prints a text, whatever it is asked. */
function programs(texts: Readonly<Record<string, string>>): string {
  const directory = scratchDir();
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(directory, `${name}.txt`), text);
    writeFileSync(join(directory, name), `#!/bin/sh\ncat '${join(directory, name)}.txt'\n`, { mode: 0o700 });
  }
  return directory;
}

function unpacked(file: string) {
  const directory = scratchDir();
  execFileSync('tar', ['-xzf', file, '-C', directory]);
  const files = Object.fromEntries(
    Object.entries(filesIn(directory)).map(([path, text]) => [path.split('/').at(-1) ?? '', text]),
  );
  return { files, manifest: MANIFEST.parse(JSON.parse(files['manifest.json'] ?? '')) };
}

/** A host that is full of secrets. */
async function secretHost() {
  const line = `{"level":"warn","event":"x","function":"${SECRETS.functionName}","msg":"Authorization: Token ${SECRETS.logged} from ${SECRETS.address}, token ${TOKEN}, page ${SECRETS.pagePassword}, ${SECRETS.metricsToken}"}`;
  const path = programs({
    journalctl: `2026-11-27T08:00:00+0000 host sharedcloud-agent[1]: ${line}\n2026-11-27T08:00:01+0000 host kernel: NVRM: Xid (PCI:0000:65:00): 31, pid=7, name=${SECRETS.process}, Ch 1\n`,
    systemctl: `Id=sharedcloud-agent.service\nExecStart=/usr/bin/x --password=${SECRETS.unit}\n`,
    'nvidia-smi': `GPU 00000000:65:00.0\n    Serial Number                         : ${SECRETS.serial}\n        Process ID                        : 7\n            Name                          : ${SECRETS.process}\n`,
  });
  const engine = await scriptedEngine((call) => {
    if (call.endsWith('/info'))
      return {
        json: {
          ...INFO,
          HttpProxy: `http://ada:${SECRETS.engine}@proxy.example`,
          Labels: [`password=${SECRETS.engine}`],
          RegistryConfig: { Mirrors: [`https://ada:${SECRETS.engine}@mirror.example`] },
        },
      };
    return call.endsWith('/version')
      ? { json: VERSION }
      : { status: 500, message: `not from https://ada:${SECRETS.engine}@registry.example` };
  });
  const scenario = await openScenario(engine.host, {
    SHAREDCLOUD_CPU_SLOTS: '1',
    SHAREDCLOUD_LOG_LEVEL: 'debug',
  });
  const file = (name: string, secret: string): string => {
    writeFileSync(join(scenario.directory, name), `${secret}\n`, { mode: 0o600 });
    return join(scenario.directory, name);
  };
  const config = `notify-webhook = "http://127.0.0.1:1/${SECRETS.webhookPath}"
notify-webhook-secret-file = "${file('webhook', SECRETS.webhookSecret)}"
notify-ntfy = "http://127.0.0.1:1/${SECRETS.topic}"
notify-ntfy-token-file = "${file('ntfy', SECRETS.ntfyToken)}"
listen-password-file = "${file('page', SECRETS.pagePassword)}"
metrics-token-file = "${file('metrics', SECRETS.metricsToken)}"
https-proxy = "http://ada:${SECRETS.proxy}@proxy.example:3128"
`;
  const env = {
    ...scenario.env,
    SHAREDCLOUD_CONFIG: file('config.toml', config),
    PATH: `${path}:${process.env['PATH'] ?? ''}`,
  };
  const { SHAREDCLOUD_STATE_DIR: stateDir } = scenario.env;
  mkdirSync(stateDir, { mode: 0o700 });
  withJournal(
    stateDir,
    (journal) => {
      journal.insert({ ...newJob('job-1'), functionName: SECRETS.functionName });
      for (const name of ['claimed', 'starting', 'running', 'finished', 'reported'] as const)
        journal.transition('job-1', stateNamed(name));
    },
    new URL(scenario.url).href,
  );
  return {
    env,
    directory: scenario.directory,
    stateDir,
    [Symbol.asyncDispose]: async () => {
      await scenario[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

describe('a support bundle', () => {
  test('has everything of a host with a running agent but what is secret', async () => {
    await using host = await secretHost();
    await using agent = new AgentProcess(['start'], host.env);
    await agent.untilLogged({ event: 'agent-started' });
    const output = join(host.directory, 'bundle.tar.gz');
    const ran = await runProcess(['support-bundle', '--json', '--output', output], host.env);
    expect(ran).toMatchObject({ exit: 0 });
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const { files, manifest } = unpacked(output);
    expect(manifest.files.filter(({ why }) => why !== null)).toEqual([]);
    expect(Object.keys(files)).toHaveLength(manifest.files.length + 1);
    for (const [what, secret] of Object.entries({ ...SECRETS, token: TOKEN }))
      expect([what, leaksOf(secret, { ...files, stdout: ran.stdout, stderr: ran.stderr })]).toEqual([
        what,
        [],
      ]);
    expect(files['log.txt']).toContain('sharedcloud-agent[1]');
    expect(files['kernel.txt']).toContain('Xid (PCI:0000:65:00): 31, pid=7');
    expect(files['events.ndjson']).toContain('"seq"');
    expect(JSON.parse(files['journal.json'] ?? '')).toMatchObject({
      integrity: 'ok',
      jobsByState: { reported: 1 },
      errors: [],
    });
    expect(JSON.parse(files['jobs.json'] ?? '')).toMatchObject([{ job: 'job-1', state: 'reported' }]);
    expect(JSON.parse(files['docker.json'] ?? '')).toMatchObject({ hasProxy: true, version: '20.10.24' });
    expect(JSON.parse(files['health.json'] ?? '')).toMatchObject({ kind: 'alive' });

    // Nothing is overwritten, and nothing of the one that is there is lost.
    const again = await runProcess(['support-bundle', '--json', '--output', output], host.env);
    expect([again.exit, again.stderr]).toEqual([1, expect.stringContaining('BUNDLE_NOT_WRITTEN')]);
    expect(unpacked(output).manifest).toEqual(manifest);
  });

  test('names functions where that is wanted', async () => {
    await using host = await secretHost();
    const output = join(host.directory, 'bundle.tar.gz');
    await runProcess(['support-bundle', '--with-names', '--output', output], host.env);
    const { files } = unpacked(output);
    expect(leaksOf(SECRETS.functionName, files).toSorted()).toEqual(['jobs.json', 'log.txt']);
    expect(leaksOf(TOKEN, files)).toEqual([]);
  });

  test('is made where nothing works, and names what is missing', async () => {
    const directory = scratchDir();
    const stateDir = join(directory, 'state');
    mkdirSync(stateDir, { mode: 0o700 });
    writeFileSync(
      join(stateDir, 'journal.db'),
      'not a database, but long enough to look like one\n'.repeat(100),
    );
    chmodSync(join(stateDir, 'journal.db'), 0o600);
    const output = join(directory, 'bundle.tar.gz');
    const env = {
      SHAREDCLOUD_STATE_DIR: stateDir,
      SHAREDCLOUD_BROKER_URL: 'http://127.0.0.1:1',
      SHAREDCLOUD_NVIDIA_SMI: '/nowhere/nvidia-smi',
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
      // No programs at all.
      PATH: directory,
    };
    expect((await runProcess(['support-bundle', '--output', output], env)).exit).toBe(0);
    const { files, manifest } = unpacked(output);
    const gone = manifest.files.filter(({ why }) => why !== null).map(({ file }) => file);
    expect(gone).toEqual([
      'status.json',
      'events.ndjson',
      'log.txt',
      'jobs.json',
      'nvidia-smi.txt',
      'docker.json',
      'kernel.txt',
      'units.txt',
    ]);
    expect(JSON.parse(files['journal.json'] ?? '')).toMatchObject({
      integrity: null,
      errors: expect.arrayContaining([expect.any(String)]) as unknown,
    });
    // The journal stays as it was.
    expect(readdirSync(stateDir)).toEqual(['journal.db']);
  });

  test('is made with an invalid configuration, which it then is about', async () => {
    const output = join(scratchDir(), 'bundle.tar.gz');
    const env = { SHAREDCLOUD_JOB_TIMEOUT: 'never', SHAREDCLOUD_ASK_PRICE: 'much' };
    expect((await runProcess(['support-bundle', '--output', output], env)).exit).toBe(0);
    const found = unpacked(output).manifest.files.find(({ file }) => file === 'configuration.json');
    expect(found?.why).toContain('SHAREDCLOUD_JOB_TIMEOUT');
  });
});

const why = whyNot(() => new SmallDisk());
if (why !== undefined) leaveOut('a support bundle on a full disk', why);
describe.runIf(why === undefined)('a support bundle on a full disk', () => {
  test('is a clear error, and leaves nothing behind', async () => {
    using disk = new SmallDisk();
    disk.fill();
    const output = join(disk.path, 'bundle.tar.gz');
    const env = {
      SHAREDCLOUD_STATE_DIR: join(disk.path, 'state'),
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
    };
    const { exit, stderr } = await runProcess(['support-bundle', '--json', '--output', output], env);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('BUNDLE_NOT_WRITTEN')]);
    expect(existsSync(output)).toBe(false);
  });
});
