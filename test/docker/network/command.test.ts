import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeHost } from '../../support/network/describe.ts';
import { AS_OWNER, TestHost } from '../../support/network/host.ts';

const TABLES = 'nft list tables';
const OWNERS = 'nft add table inet filter; nft add chain inet filter mine';

describeHost('the command `network`', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await TestHost.open();
    await host.sh(OWNERS);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const rules = (): Promise<string> =>
    host.sh('nft -s list table inet sharedcloud; nft -s list table bridge sharedcloud');

  test('says what is missing where nothing is there', async () => {
    const { code, stdout } = await host.network('status', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      up: false,
      network: { present: false },
      bridge: { present: false },
      rules: 'absent',
    });
  });

  test('makes the same each time, and nothing else', async () => {
    const before = await host.sh(TABLES);
    await host.up();
    const made = await rules();
    await host.up();
    expect(await rules()).toBe(made);
    const added = 'table inet sharedcloud\ntable bridge sharedcloud\ntable inet sharedcloud_line\n';
    // Docker's own tables are there from the beginning, the owner's too.
    expect((await host.sh(TABLES)).split('\n').toSorted()).toEqual(
      `${before}${added}`.split('\n').toSorted(),
    );
  });

  test('shows that rules were changed, and repairs them', async () => {
    const made = await rules();
    await host.sh('nft flush chain inet sharedcloud input');
    const { code, stdout } = await host.network('status', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ up: false, bridge: { present: true }, rules: 'different' });
    await host.up();
    expect(await rules()).toBe(made);
  });

  test('takes neither the network nor its rules away while a job uses it', async () => {
    const made = await rules();
    host.importImage('busybox', 'sharedcloud/busybox', ['/bin/sh', '-c', 'sleep 1000']);
    const container = await host.docker.createContainer({
      Image: 'sharedcloud/busybox',
      HostConfig: { NetworkMode: 'sharedcloud-jobs' },
    });
    await container.start();
    const { code, stderr } = await host.network('down');
    expect(code).toBe(8);
    expect(stderr).toContain('NETWORK_FAILED');
    expect(await rules()).toBe(made);
    await container.remove({ force: true });
  });

  test('replaces a network that is not as it has to be', async () => {
    await host.docker.getNetwork('sharedcloud-jobs').remove();
    await host.docker.createNetwork({ Name: 'sharedcloud-jobs' });
    expect((await host.network('status')).code).toBe(1);
    await host.up();
    expect((await host.network('status')).code).toBe(0);
  });

  test('takes all of its own away, and is content where there is nothing', async () => {
    expect((await host.network('down')).code).toBe(0);
    expect((await host.network('down')).code).toBe(0);
    expect(await host.sh(TABLES)).not.toContain('sharedcloud');
    expect(await host.sh('nft list table inet filter')).toContain('chain mine');
    await expect(host.docker.getNetwork('sharedcloud-jobs').inspect()).rejects.toMatchObject({
      statusCode: 404,
    });
  });

  test('fails with a reason of its own without root, without nft, for another host and without an engine', async () => {
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    const command = `${AS_OWNER.join(' ')} ${process.execPath} ${main} network up --docker-host ${host.dockerHost}`;
    const refusal = async (script: string): Promise<string> => {
      const { code, stderr } = await host.run(['sh', '-c', script]);
      return `${code} ${stderr}`;
    };
    expect(await refusal(`exec setpriv --reuid 65534 ${command}`)).toMatch(/^8 error NETWORK_UNPRIVILEGED/);
    const hidden = 'mount --bind /dev/null /usr/sbin/nft';
    expect(await refusal(`unshare --mount sh -c '${hidden}; PATH= ${command}'`)).toMatch(
      /^8 error NETWORK_UNSUPPORTED.* nft/,
    );
    const remote = command.replace(host.dockerHost, 'tcp://192.0.2.1:2375');
    expect(await refusal(remote)).toMatch(/^8 error NETWORK_UNSUPPORTED/);
    await host.endEngine();
    expect(await host.network('up')).toMatchObject({ code: 5 });
    await host.startEngine();
  });
});
