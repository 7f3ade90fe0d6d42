import { chmod, chown, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { EmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts';
import { lineOf, readChecked } from '../support/cli/checked.ts';
import { AgentProcess } from '../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, TOKEN } from '../support/e2e/scenario.ts';
import { describeDocker, PYTHON, type TestEngine } from '../support/engine/docker.ts';
import { removeContainer } from '../support/engine/remove-container.ts';
import { TcpProxy } from '../support/faults/tcp-proxy.ts';
import { buildPackage, Debian, describeDebian } from '../support/package/debian.ts';

/*
 * The package in a clean Debian, under a real systemd, with jobs in real containers: one owner's lifecycle, in order.
 */

const SERVICE = 'sharedcloud-agent.service';
const NETWORK_SERVICE = 'sharedcloud-agent-network.service';
const TRAFFIC_SERVICE = 'sharedcloud-agent-traffic.service';
/** Where the shells look for completions. */
const COMPLETIONS = [
  '/usr/share/bash-completion/completions/sharedcloud-agent',
  '/usr/share/zsh/vendor-completions/_sharedcloud-agent',
  '/usr/share/fish/vendor_completions.d/sharedcloud-agent.fish',
];
/** What docs/metrics.md names. */
const MONITORING = [
  'alerts.yml',
  'grafana-dashboard.json',
  'scrape.yml',
  'scrape-fleet.yml',
  'targets.yml',
].map((name) => `/usr/share/sharedcloud-agent/monitoring/${name}`);
const SESSION = z.object({ key: z.string() });
const SLOW = `import time\ndef handler(event):\n    time.sleep(event[0])\n    return 'slept'\n`;

describeDebian('the Debian package', () => {
  describeDocker('on a clean host', (engine) => {
    let debian: Debian;
    let broker: EmbeddedBroker;
    let socket: AsyncDisposable;
    let url = '';
    const runs: string[] = [];

    const add = (code: string, parameters: string): string => {
      runs.push(addRun(broker, PYTHON, code, parameters));
      return runs.at(-1) ?? '';
    };
    const settled = <T>(check: () => T | Promise<T>, timeout = 60_000): Promise<T> =>
      vi.waitFor(check, { timeout, interval: 100 });
    const show = (property: string): Promise<string> =>
      debian.sh(`systemctl show --value -p ${property} ${SERVICE}`);
    const ask = (): number | undefined => broker.store.instances.all()[0]?.askPrice;
    const statuses = (run: string): readonly number[] => broker.store.jobsOf(run).map(({ status }) => status);

    beforeAll(async () => {
      const deb = await buildPackage();
      debian = await Debian.boot();
      broker = new EmbeddedBroker({ token: TOKEN, leaseSeconds: 60, leaveOutUnwinnable: false });
      url = await broker.listen();
      socket = await TcpProxy.open(engine.host, join(debian.shared, 'docker.sock'));
      await copyFile(deb, join(debian.shared, 'agent.deb'));
    });
    afterAll(async () => {
      await debian?.[Symbol.asyncDispose]();
      // A package that is removed leaves what runs to itself.
      for (const run of runs)
        for (const id of await containers(engine, run)) await removeContainer(engine.docker, id);
      // Another test's agent may have a job on it.
      await settled(async () => {
        await using down = new AgentProcess(['network', 'down', '--docker-host', engine.host]);
        const { code, stderr } = await down.ended;
        if (code !== 0) throw new Error(`the jobs’ network is still there: ${stderr}`);
      });
      await socket?.[Symbol.asyncDispose]();
      await broker?.close();
    });

    test('installs, and starts nothing by itself', async () => {
      await debian.sh(`dpkg --force-unsafe-io -i ${debian.shared}/agent.deb`);
      expect(await debian.sh('sharedcloud-agent --version')).toBe('0.1.0');
      expect(await debian.sh('command -v node || echo none')).toBe('none');
      expect(await show('ActiveState')).toBe('inactive');
      expect(await show('UnitFileState')).toBe('disabled');
      await debian.sh(`ls ${[...COMPLETIONS, ...MONITORING].join(' ')}`);
      const groups = (await debian.sh('id -Gn sharedcloud-agent')).split(' ');
      expect(groups).toContain('docker');
      expect(groups).toContain('systemd-journal');
      expect(await debian.sh('stat -c "%U %a" /var/lib/sharedcloud-agent')).toBe('sharedcloud-agent 700');
    });

    test.each([
      [SERVICE, 1.6],
      // It needs root's hold on the network.
      [NETWORK_SERVICE, 2.6],
      // It listens to the kernel.
      [TRAFFIC_SERVICE, 1.8],
    ])('has a unit %s that systemd finds no fault with, and that is closed well', async (unit, most) => {
      // What it needs of Docker is not in this Debian.
      await debian.sh(
        `printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' ` +
          '>/etc/systemd/system/docker.service && systemctl daemon-reload',
      );
      expect(await debian.run('systemd-analyze', 'verify', '--man=no', unit)).toEqual({
        code: 0,
        output: '',
      });
      const words = await debian.sh(`systemd-analyze security --no-pager ${unit} | tail -n 1`);
      expect(Number(/([\d.]+) \w+/.exec(words)?.[1])).toBeLessThanOrEqual(most);
    });

    test('without a token the start fails, and says so', async () => {
      expect((await debian.run('systemctl', 'start', SERVICE)).code).not.toBe(0);
      // The agent is not even begun: systemd has no credential for it.
      const { output } = await debian.run('systemctl', 'status', '--no-pager', SERVICE);
      expect(output).toContain('status=243/CREDENTIALS');
      await debian.sh(`systemctl stop ${SERVICE}`);
    });

    test('is set up by a single command, and a job is done', async () => {
      // What only this test needs: a broker and an engine of its own, and jobs' files where that engine sees them.
      const uid = Number(await debian.sh('id -u sharedcloud-agent'));
      const gid = Number(await debian.sh('getent group docker | cut -d: -f3'));
      await mkdir(join(debian.shared, 'state'), { mode: 0o700 });
      await chown(join(debian.shared, 'state'), uid, uid);
      await chown(join(debian.shared, 'docker.sock'), 0, gid);
      await chmod(join(debian.shared, 'docker.sock'), 0o660);
      await debian.sh(
        `mkdir -p /etc/systemd/system/${SERVICE}.d && printf '[Service]\\nReadWritePaths=%s\\n' ${debian.shared} ` +
          `>/etc/systemd/system/${SERVICE}.d/state.conf && systemctl daemon-reload`,
      );
      const run = add(HELLO_PYTHON, "(('works',),)");
      const before = await debian.sh('cat /etc/sharedcloud-agent/config.toml');

      const said = await debian.sh(
        `echo ${TOKEN} | sharedcloud-agent setup --yes --json --with-token --broker-url ${url} --ask-price 0.05 --cpu-slots 2 ` +
          `--docker-host unix://${debian.shared}/docker.sock --state-dir ${debian.shared}/state --min-free-disk '0 B' ` +
          `--images 'localhost:5000/sharedcloud/*' --poll-interval 200ms 2>/dev/null`,
      );
      expect(JSON.parse(said)).toMatchObject({
        token: 'written',
        config: 'written',
        network: 'up',
        service: 'running',
      });
      expect(await debian.sh('stat -c "%a %U" /etc/sharedcloud-agent/token')).toBe('600 root');
      expect(await debian.sh('stat -c %a /etc/sharedcloud-agent/config.toml')).toBe('644');
      expect(await debian.sh('cat /etc/sharedcloud-agent/config.toml.bak-*')).toBe(before);
      expect(await show('UnitFileState')).toBe('enabled');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.SUCCEEDED]));
      expect(broker.store.jobsOf(run)[0]?.result).toBe('works');
      await settled(async () =>
        expect(JSON.parse(await debian.sh('sharedcloud-agent jobs --json'))).toMatchObject({
          jobs: [{ outcome: 'succeeded' }],
        }),
      );
      await settled(async () => expect(await show('StatusText')).toMatch(/\b1\b.*\b0\b/));
      expect(await debian.run('sharedcloud-agent', 'health')).toMatchObject({ code: 0 });
      // The command line finds the token that root has put there.
      expect(lineOf(readChecked(await debian.sh('sharedcloud-agent check --json || true')), 'token')).toMatch(
        /^ok: /,
      );
      expect(await debian.sh(`journalctl -u ${SERVICE}; systemctl show ${SERVICE}`)).not.toContain(TOKEN);
    });

    test('its network has come up with it, and is what jobs get', async () => {
      expect(await debian.sh(`systemctl is-active ${NETWORK_SERVICE}`)).toBe('active');
      expect(JSON.parse(await debian.sh('sharedcloud-agent network status --json'))).toMatchObject({
        up: true,
      });
      await settled(async () =>
        expect(await debian.sh(`journalctl -u ${SERVICE}`)).toContain('"event":"job-network-verified"'),
      );
      const run = add(SLOW, '((2,),)');
      const [container = ''] = await settled(async () => {
        const found = await containers(engine, run);
        expect(found).toHaveLength(1);
        return found;
      });
      const { HostConfig } = await engine.docker.getContainer(container).inspect();
      expect(HostConfig.NetworkMode).toBe('sharedcloud-jobs');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.SUCCEEDED]));
    });

    test('its page, metrics and notifications work from within its sandbox', async () => {
      const config = '/etc/sharedcloud-agent/config.toml';
      const sent = join(debian.shared, 'state', 'sent.json');
      await debian.sh(
        `printf '#!/bin/sh\\ncat >${sent}\\n' >/usr/local/bin/tell && chmod 755 /usr/local/bin/tell && ` +
          `sed -i '1i listen = "127.0.0.1:0"\\nnotify-command = "/usr/local/bin/tell"' ${config} && ` +
          `systemctl restart ${SERVICE}`,
      );
      const link = await settled(() => debian.sh('sharedcloud-agent page'));
      const { hash, origin } = new URL(link);
      const page = (path: string, init: RequestInit = {}): Promise<Response> =>
        fetch(`${origin}${path}`, { ...init, signal: AbortSignal.timeout(20_000) });
      expect((await page('/')).headers.get('content-type')).toContain('text/html');
      expect((await page('/api/status')).status).toBe(401);
      expect(await (await page('/metrics')).text()).toMatch(/^sharedcloud_agent_/m);

      const session = await page('/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ link: new URLSearchParams(hash.slice(1)).get('link') }),
      });
      const { key } = SESSION.parse(await session.json());
      const cookie = session.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
      const status = await page('/api/status', { headers: { cookie, 'x-sharedcloud-key': key } });
      expect(status.status).toBe(200);

      await debian.sh('sharedcloud-agent notify test --kind disk-low');
      expect(JSON.parse(await debian.sh(`cat ${sent}`))).toMatchObject({ kind: 'disk-low', test: true });
      const bundle = await debian.sh(
        'sharedcloud-agent support-bundle --output /tmp/bundle.tar.gz && tar -tzf /tmp/bundle.tar.gz',
      );
      expect(bundle).toContain('check');
      expect(await debian.sh('zcat /tmp/bundle.tar.gz')).not.toContain(TOKEN);
    });

    test('a reload takes new prices, and keeps the old ones where the file is broken', async () => {
      expect(ask()).toBe(0.05);
      await debian.sh(`sed -i 's/^ask-price.*/ask-price = 0.07/' /etc/sharedcloud-agent/config.toml`);
      await debian.sh('systemctl reload sharedcloud-agent');
      await settled(() => expect(ask()).toBe(0.07));
      await debian.sh(`sed -i 's/^ask-price.*/ask-price = "much"/' /etc/sharedcloud-agent/config.toml`);
      await debian.sh('systemctl reload sharedcloud-agent');
      await settled(async () => expect(await show('StatusText')).toContain('ask-price'));
      expect(await show('ActiveState')).toBe('active');
      expect(ask()).toBe(0.07);
      await debian.sh(`sed -i 's/^ask-price.*/ask-price = 0.07/' /etc/sharedcloud-agent/config.toml`);
    });

    test('a restart and an upgrade keep the jobs that run', async () => {
      const run = add(SLOW, '((20,),)');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.IN_PROGRESS]));
      const before = await settled(async () => {
        const found = await containers(engine, run);
        expect(found).toHaveLength(1);
        return found;
      });
      const pid = await show('MainPID');
      await debian.sh('systemctl restart sharedcloud-agent');
      const restarted = await show('MainPID');
      expect(restarted).not.toBe(pid);
      expect(await containers(engine, run)).toEqual(before);
      await debian.sh(`dpkg --force-unsafe-io -i ${debian.shared}/agent.deb`);
      expect(await show('ActiveState')).toBe('active');
      expect(await show('MainPID')).not.toBe(restarted);
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.SUCCEEDED]), 90_000);
      expect(await debian.sh(`journalctl -u ${SERVICE}`)).not.toContain('"event":"job-release-queued"');
      expect(await debian.sh('cat /etc/sharedcloud-agent/config.toml')).toContain('ask-price = 0.07');
    });

    test('the watchdog hears from a daemon that is well, and replaces one that hangs', async () => {
      await debian.sh(
        `printf '[Service]\\nWatchdogSec=4s\\nTimeoutAbortSec=1s\\nRestartSec=100ms\\n' ` +
          `>/etc/systemd/system/${SERVICE}.d/watchdog.conf && systemctl daemon-reload && systemctl restart ${SERVICE}`,
      );
      const pid = await show('MainPID');
      const first = Number(await show('WatchdogTimestampMonotonic'));
      // More than twice its time after it began.
      await settled(async () =>
        expect(Number(await show('WatchdogTimestampMonotonic'))).toBeGreaterThan(first + 9_000_000),
      );
      expect(await show('MainPID')).toBe(pid);
      await debian.sh(`kill -STOP ${pid}`);
      await settled(async () => {
        expect(await show('NRestarts')).toBe('1');
        expect(await show('ActiveState')).toBe('active');
      });
      expect(await show('MainPID')).not.toBe(pid);
    });

    test('is drained on demand, and does not come back by itself', async () => {
      const run = add(SLOW, '((3,),)');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.IN_PROGRESS]));
      await debian.sh('sharedcloud-agent drain');
      await settled(async () => expect(await show('ActiveState')).toBe('inactive'));
      expect(statuses(run)).toEqual([JOB_STATUS.SUCCEEDED]);
    });

    test('nor does it come back where its owner did not want to wait', async () => {
      await debian.sh(`systemctl start ${SERVICE}`);
      const run = add(SLOW, '((600,),)');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.IN_PROGRESS]));
      await debian.sh('sharedcloud-agent drain --now');
      await settled(async () => expect(await show('ActiveState')).toBe('failed'));
      expect(await show('ExecMainStatus')).toBe('9');
      expect(statuses(run)).toEqual([JOB_STATUS.CREATED]);
      broker.store.market.delete(run, true);
      await debian.sh(`systemctl reset-failed ${SERVICE}`);
    });

    test('a purge keeps the reports that nobody has heard, and says so', async () => {
      await debian.sh(`systemctl start ${SERVICE}`);
      await settled(() => expect(broker.store.instances.all()[0]?.available).toBe(true));
      const run = add(SLOW, '((600,),)');
      await settled(() => expect(statuses(run)).toEqual([JOB_STATUS.IN_PROGRESS]));
      const removed = await debian.sh('dpkg -r sharedcloud-agent 2>&1');
      expect(removed).toContain('sharedcloud-agent: ');
      expect(await debian.sh('grep -l sharedcloud-agent[.]cjs /proc/[0-9]*/cmdline || echo none')).toBe(
        'none',
      );
      expect(await debian.sh('dpkg -P sharedcloud-agent 2>&1')).toContain('is kept');
      expect(await debian.sh('ls /etc/sharedcloud-agent 2>/dev/null || echo gone')).toBe('gone');
    });

    test('without such reports nothing is left but the user', async () => {
      await debian.sh(`rm -rf ${debian.shared}/state/* /var/lib/sharedcloud-agent/unreported`);
      await debian.sh(`dpkg --force-unsafe-io -i ${debian.shared}/agent.deb`);
      await debian.sh('dpkg -P sharedcloud-agent');
      const places =
        '/etc/sharedcloud-agent /var/lib/sharedcloud-agent /usr/lib/sharedcloud-agent /usr/bin/sharedcloud-agent';
      expect(await debian.sh(`ls -d ${places} 2>/dev/null || true`)).toBe('');
      expect(await debian.sh('id -u sharedcloud-agent')).toMatch(/^\d+$/);
    });
  });
});

/** The containers of this agent's jobs. */
async function containers(engine: TestEngine, run: string): Promise<readonly string[]> {
  const label = [`sharedcloud.run=${run}`];
  const found = await engine.docker.listContainers({ filters: JSON.stringify({ label }) });
  return found.map(({ Id }) => Id);
}
