import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { openIsolatedNetwork } from '../../../src/runtime/docker/network/isolated-network.ts';
import type { LineLimits } from '../../../src/runtime/docker/network/line-rules.ts';
import type { RuleCheck } from '../../../src/runtime/docker/network/rule-check.ts';
import { type Attempt, all, NODE_COMMAND, NODE_IMAGE, reach, run } from '../../support/network/attack.ts';
import { describeHost } from '../../support/network/describe.ts';
import { OUTSIDE, TestHost } from '../../support/network/host.ts';

const { internet } = OUTSIDE;
const MB = 1_000_000;
const DEFAULT: LineLimits = { blockedPorts: [], bandwidth: undefined };

describeHost('the rules that protect the owner’s line and name', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await TestHost.open();
    host.importImage('node', NODE_IMAGE, NODE_COMMAND);
    for (const port of [25, 465, 587, 9100]) await host.serveBytes(port);
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(() => host.up());

  const connect = (...ports: readonly number[]): readonly Attempt[] =>
    ports.map((port): Attempt => `tcp ${internet} ${port}`);

  test('refuse mail to other servers always, and other ports where the owner says so', async () => {
    await host.up();
    const [smtp, ...others] = connect(25, 465, 587, 9100);
    const open = all(others, 'open');
    expect(await reach(host, connect(25, 465, 587, 9100))).toEqual({ [smtp ?? '']: 'ECONNREFUSED', ...open });
    await host.up('--job-block-ports', '465,587');
    expect(await reach(host, connect(25, 465, 587, 9100))).toEqual({
      ...all(connect(25, 465, 587), 'ECONNREFUSED'),
      ...all(connect(9100), 'open'),
    });
    // The host itself sends mail as before.
    expect(await host.sh(`busybox nc -w 5 ${internet} 25 </dev/null && echo open`)).toContain('open');
  });

  /** Bytes per second of a job that only sends or only receives for some seconds, measured after a while. */
  const rate = async (direction: 'sends' | 'receives', afterMs = 3_000): Promise<number> => {
    const seconds = 4;
    const code = `
      const socket = require('net').connect(9100, '${internet}', () => {
        socket.write('${direction === 'receives' ? 500 * MB : 0}\\n');
        const chunk = Buffer.alloc(16384);
        const send = () => { while (socket.write(chunk)); };
        if (${direction === 'sends'}) { socket.on('drain', send); send(); }
      });
      let read = 0;
      socket.on('data', (bytes) => { read += bytes.length; });
      const now = () => (${direction === 'sends'} ? socket.bytesWritten - socket.writableLength : read);
      setTimeout(() => {
        const before = now(), at = performance.now();
        setTimeout(() => {
          console.log((now() - before) / ((performance.now() - at) / 1000));
          process.exit(0);
        }, ${seconds * 1000});
      }, ${afterMs});`;
    return Number(await run(host, code));
  };

  test('hold each job to its rate in each direction, and each has its own', async () => {
    await host.up('--job-bandwidth', '20 Mbit/s');
    const limit = 20e6 / 8;
    const [up, down, other] = await Promise.all([rate('sends'), rate('receives'), rate('receives')]);
    for (const measured of [up, down, other]) {
      expect(measured).toBeLessThan(1.2 * limit);
      expect(measured).toBeGreaterThan(0.3 * limit);
    }
    expect((await host.network('status', '--job-bandwidth', '20 Mbit/s')).code).toBe(0);
    await host.up();
    expect(await rate('receives', 0)).toBeGreaterThan(4 * limit);
  });

  const status = async (...options: readonly string[]): Promise<unknown> =>
    JSON.parse((await host.network('status', '--json', ...options)).stdout);

  test('are shown apart from those of the isolation', async () => {
    await host.up('--job-bandwidth', '20 Mbit/s', '--job-block-ports', '465');
    expect(await status('--job-bandwidth', '20 Mbit/s', '--job-block-ports', '465')).toMatchObject({
      up: true,
      rules: 'right',
      line: { rules: 'right', closedPorts: [25, 465], bitsPerSecond: 20e6 },
    });
    expect(await status()).toMatchObject({ up: true, rules: 'right', line: { rules: 'different' } });
    expect((await host.network('status')).code).toBe(1);
  });

  /** The agent listens on its own host, which is not that of the test. */
  const hearOnHost: RuleCheck = async (refused) => {
    const module = new URL('../../../src/runtime/docker/network/rule-check.ts', import.meta.url).href;
    const code = `import { checkRules } from ${JSON.stringify(module)};
      console.log(await checkRules(${JSON.stringify(refused)}, new AbortController().signal));`;
    const { stdout } = await host.run([process.execPath, '--input-type=module', '-e', code]);
    return stdout === 'true\n';
  };
  const lineProblem = (line: LineLimits) =>
    openIsolatedNetwork({
      engine: { host: host.dockerHost, tls: undefined },
      line,
      hostAddresses: () => [],
      rulesAnswer: hearOnHost,
    }).lineProblem(AbortSignal.timeout(60_000));

  test('that an older agent never made are a warning, and the isolation is still verified', async () => {
    await host.up();
    expect(await lineProblem(DEFAULT)).toBeUndefined();
    await host.sh('nft delete table inet sharedcloud_line');
    expect((await lineProblem(DEFAULT))?.hint).toContain('network up');
    expect(await status()).toMatchObject({ up: true, rules: 'right', line: { rules: 'absent' } });
    const network = openIsolatedNetwork({
      engine: { host: host.dockerHost, tls: undefined },
      line: DEFAULT,
      hostAddresses: () => [],
      rulesAnswer: hearOnHost,
    });
    const { refused } = await network.probeTargets(AbortSignal.timeout(60_000));
    expect(refused.length).toBeGreaterThan(0);
  });

  test('that the owner has set for the agent alone are not in force, and jobs get no network', async () => {
    await host.up();
    const mine = { blockedPorts: [465], bandwidth: undefined };
    await expect(lineProblem(mine)).rejects.toThrow(AgentError);
    await host.up('--job-block-ports', '465');
    expect(await lineProblem(mine)).toBeUndefined();
  });

  test('go with the network', async () => {
    await host.up();
    expect((await host.network('down')).code).toBe(0);
    expect(await host.sh('nft list tables')).not.toContain('sharedcloud');
  });
});
