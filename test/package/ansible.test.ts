import { chmod, chown, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { EmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts';
import { type Played, play } from '../support/ansible/ansible.ts';
import { addRun, TOKEN } from '../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../support/engine/docker.ts';
import { TcpProxy } from '../support/faults/tcp-proxy.ts';
import { buildPackage, Debian, describeDebian, repackage } from '../support/package/debian.ts';

/*
 * The Ansible role against a clean Debian under a real systemd: one host's lifecycle, in order.
 */

const SERVICE = 'sharedcloud-agent.service';

describeDebian(
  'the Ansible role',
  () => {
    describeDocker('on a clean host', (engine) => {
      let debian: Debian;
      let broker: EmbeddedBroker;
      let socket: AsyncDisposable;
      let deb = '';
      let config: Readonly<Record<string, unknown>> = {};

      const playWith = (
        more: Readonly<Record<string, unknown>> = {},
        ...flags: readonly string[]
      ): Promise<Played> =>
        play(
          debian,
          {
            sharedcloud_agent_deb: deb,
            sharedcloud_agent_token: TOKEN,
            sharedcloud_agent_config: config,
            sharedcloud_agent_ready_seconds: 10,
            ...more,
          },
          '-vvv',
          '--diff',
          ...flags,
        );
      /** Plays it to a good end. */
      const played = async (more: Readonly<Record<string, unknown>> = {}): Promise<Played> => {
        const done = await playWith(more);
        if (done.code !== 0) throw new Error(done.output);
        return done;
      };
      const show = (property: string): Promise<string> =>
        debian.sh(`systemctl show --value -p ${property} ${SERVICE}`);
      const ask = (): number | undefined => broker.store.instances.all()[0]?.askPrice;

      beforeAll(async () => {
        [deb, debian] = await Promise.all([buildPackage(), Debian.boot('python3-apt')]);
        broker = new EmbeddedBroker({ token: TOKEN, leaseSeconds: 60, leaveOutUnwinnable: false });
        const url = await broker.listen();
        // What only this test needs: a broker and an engine of its own, and a state directory that the engine sees.
        const at = join(debian.shared, 'docker.sock');
        socket = await TcpProxy.open(engine.host, at);
        await debian.sh('groupadd --system docker && useradd --system --user-group sharedcloud-agent');
        const uid = Number(await debian.sh('id -u sharedcloud-agent'));
        await chown(at, 0, Number(await debian.sh('getent group docker | cut -d: -f3')));
        await chmod(at, 0o660);
        await mkdir(join(debian.shared, 'state'), { mode: 0o700 });
        await chown(join(debian.shared, 'state'), uid, uid);
        await debian.sh(
          `mkdir -p /etc/systemd/system/${SERVICE}.d && printf '[Service]\\nReadWritePaths=%s\\n' ${debian.shared} ` +
            `>/etc/systemd/system/${SERVICE}.d/state.conf`,
        );
        config = {
          'ask-price': 0.05,
          'broker-url': url,
          'docker-host': `unix://${at}`,
          'state-dir': join(debian.shared, 'state'),
          'cpu-slots': 1,
          images: ['localhost:5000/sharedcloud/*'],
          'job-network': 'none',
          'min-free-disk': '0 B',
          gpu: { 'NVIDIA "Ünicode" 😀': { 'ask-price': 0.12 } },
        };
      });
      afterAll(async () => {
        await debian?.[Symbol.asyncDispose]();
        await socket?.[Symbol.asyncDispose]();
        await broker?.close();
      });

      test('a dry run on a new host installs nothing, and the example inventory is one', async () => {
        const { code } = await playWith({}, '--check');
        expect(code).toBe(0);
        expect(await debian.run('sharedcloud-agent', '--version')).not.toMatchObject({ code: 0 });
        const inventory = resolve(import.meta.dirname, '../../packaging/ansible/inventory.example.yml');
        expect((await playWith({}, '--syntax-check', `--inventory=${inventory}`)).code).toBe(0);
      });

      test('installs, configures, starts, and shows the token nowhere', async () => {
        const { output } = await played();
        expect(output).not.toContain(TOKEN);
        expect(await show('UnitFileState')).toBe('enabled');
        expect(await debian.sh('stat -c "%U %a" /etc/sharedcloud-agent/token')).toBe('root 600');
        expect(ask()).toBe(0.05);
      });

      test('a second run changes nothing', async () => {
        const pid = await show('MainPID');
        expect((await played()).changed).toBe(0);
        expect(await show('MainPID')).toBe(pid);
      });

      test('upgrades while a job runs, and reattaches to it', async () => {
        const code = `import time\ndef handler(event):\n    time.sleep(20)\n    return 'slept'\n`;
        const run = addRun(broker, PYTHON, code, '((),)');
        const status = (): number | undefined => broker.store.jobsOf(run)[0]?.status;
        await vi.waitFor(() => expect(status()).toBe(JOB_STATUS.IN_PROGRESS), { timeout: 60_000 });
        const newer = await repackage(deb, '0.1.1', debian.shared);
        const { output } = await played({ sharedcloud_agent_deb: newer });
        expect(await debian.sh(`dpkg-query -W -f '\${Version}' sharedcloud-agent`)).toBe('0.1.1');
        expect(output).toContain('upgrade to 0.1.1');
        // The pause for the upgrade has ended.
        expect(await debian.run('sharedcloud-agent', 'health', '--ready')).toMatchObject({ code: 0 });
        await vi.waitFor(() => expect(status()).toBe(JOB_STATUS.SUCCEEDED), { timeout: 60_000 });
        deb = newer;
      });

      test('an invalid setting replaces nothing, and a valid one is in force at the end', async () => {
        const invalid = await playWith({ sharedcloud_agent_config: { ...config, 'ask-price': 'much' } });
        expect(invalid.code).not.toBe(0);
        expect(await debian.sh('grep ^ask-price /etc/sharedcloud-agent/config.toml')).toContain('0.05');
        const { output } = await played({ sharedcloud_agent_config: { ...config, 'ask-price': 0.07 } });
        // What the file has in it is not shown, although the play runs with --diff.
        expect(output).not.toContain('ask-price = 0.07');
        await vi.waitFor(() => expect(ask()).toBe(0.07), { timeout: 20_000 });
      });
    });
  },
  'ansible-playbook',
);
