import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openDaemonHost } from '../../support/chaos/daemon-host.ts';
import type { AgentProcess } from '../../support/e2e/agent-process.ts';
import { describeDocker } from '../../support/engine/docker.ts';
import { faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { filesIn, leaksOf, type Seen } from '../../support/secrets/leaks.ts';

/** Differs in every writing. */
const TOKEN = 'sc/AZ09+tok=en?&"quoted"x';

/** Waits for `finish`, and returns all that a job can see. */
const SPY = `import glob, os, time
def handler(event):
    while not os.path.exists('/tmp/end'):
        time.sleep(0.05)
    seen = dict(os.environ)
    for path in glob.glob('/sharedcloud/*') + glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/environ'):
        try:
            seen[path] = open(path, errors='replace').read()
        except (OSError, IOError):
            pass
    return repr(seen)
`;

/** What a broker may say with a status, that holds the token in many writings. */
const ECHOES: readonly string[] = [
  `you sent ${TOKEN}`,
  `the header was Authorization: Token ${TOKEN}`,
  JSON.stringify({ detail: `not ${TOKEN}` }),
  `/api/v1/x?token=${encodeURIComponent(TOKEN)}`,
  ...['', 'T', 'Token '].map((before) => Buffer.from(`${before}${TOKEN}`).toString('base64')),
  Buffer.from(TOKEN).toString('base64url'),
  `<html><body>${TOKEN}</body></html>`,
];

describeDocker('the token', (engine) => {
  test('is in nothing that the daemon writes or shows, nor in anything of a job, whatever happens', async () => {
    const settings = { SHAREDCLOUD_CPU_SLOTS: '1', SHAREDCLOUD_LOG_LEVEL: 'debug' };
    await using host = await openDaemonHost(engine, settings, { token: TOKEN });
    await using front = await HttpProxy.open(host.url);
    const seen: Record<string, string> = {};
    const url = front.url;
    const atFront = ([command]: readonly string[]): readonly string[] =>
      command === 'check' || command === 'market' ? ['--broker-url', url] : [];
    const record = (name: string, more: Seen): void => {
      for (const [part, text] of Object.entries(more)) seen[`${name}: ${part}`] = text;
    };
    const recordCommands = async (when: string, commands: readonly (readonly string[])[]): Promise<void> => {
      const all = commands.map(async (argv) =>
        record(`${when}: ${argv.join(' ')}`, await ended(host.command(...argv, ...atFront(argv)))),
      );
      await Promise.all(all);
    };
    await using agent = host.start({ SHAREDCLOUD_BROKER_URL: url });
    const run = host.addRun(SPY, 1);
    await host.untilIn('running', 1);
    const [job] = host.records();
    const container = await host.containerOf(job?.uuid ?? '');
    record('container', { inspect: JSON.stringify(await container.inspect()) });
    record('process', {
      argv: readFileSync(`/proc/${agent.child.pid}/cmdline`, 'latin1'),
      environment: readFileSync(`/proc/${agent.child.pid}/environ`, 'latin1'),
    });
    record('state directory while a job runs', filesIn(host.stateDir));

    // Every answer is a refusal that repeats the token, each in another way.
    for (const status of [500, 401]) {
      front.plan = ({ total }) =>
        faults.answer(status, ECHOES[total % ECHOES.length], {
          'content-type': 'text/plain',
          'retry-after': '0',
        });
      const before = agent.said.length;
      await recordCommands(String(status), [['check'], ['market', '--json']]);
      await vi.waitFor(() => expect(agent.said.slice(before)).toContain('[redacted]'), 60_000);
    }
    agent.signal('SIGTERM');
    record('daemon', await ended(agent));
    front.plan = () => undefined;
    await using next = host.start({ SHAREDCLOUD_BROKER_URL: url });
    await host.finish(job?.uuid ?? '');
    await vi.waitFor(() => expect(host.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED), {
      timeout: 60_000,
      interval: 100,
    });
    record('job', { result: host.jobsOf(run)[0]?.result ?? '' });
    await recordCommands('afterwards', [
      ['check', '--json'],
      ['market'],
      ['jobs'],
      ['jobs', '--json'],
      ['health'],
    ]);
    next.signal('SIGTERM');
    record('next daemon', await ended(next));
    record('state directory afterwards', filesIn(host.stateDir));

    expect(seen['daemon: stderr']).toContain('[redacted]');
    expect(seen['job: result']).toContain('SHAREDCLOUD_INPUT');
    expect(Object.keys(seen).length).toBeGreaterThan(20);
    expect(leaksOf(TOKEN, seen)).toEqual([]);
  });

  test('is not in the last words of a daemon that breaks', async () => {
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '1' }, { token: TOKEN });
    // A defect that has the token in its hands, once the daemon is on the market.
    const defect = `import { existsSync, readFileSync } from 'node:fs';
      const record = setInterval(() => {
        const said = readFileSync(process.env.SHAREDCLOUD_TOKEN_FILE, 'utf8').trim();
        if (existsSync(process.env.SHAREDCLOUD_STATE_DIR + '/control.sock')) throw new TypeError(said + ' is not a function ' + encodeURIComponent(said));
      }, 100);`;
    const broken = host.start({
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(defect)}`,
    });
    const said = await ended(broken);
    expect(said['stderr']).toContain('error INTERNAL');
    expect(said['stderr']).toContain('[redacted] is not a function [redacted]');
    expect(leaksOf(TOKEN, { ...said, ...filesIn(host.stateDir) })).toEqual([]);
  });

  test('would be found in any writing', async () => {
    const hidden = ECHOES.map((echo, index): [string, string] => [`echo ${index}`, `before ${echo} after`]);
    expect(leaksOf(TOKEN, { ...Object.fromEntries(hidden), nothing: 'nothing' })).toEqual(
      hidden.map(([name]) => name),
    );
  });
});

async function ended(process: AgentProcess): Promise<Seen> {
  const { stderr, stdout } = await process.ended;
  return { stderr, stdout };
}
