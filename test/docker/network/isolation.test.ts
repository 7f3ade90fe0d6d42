import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  ANSWER_MS,
  type Attempt,
  all,
  attack,
  attackCode,
  dialCode,
  GROUP,
  NODE_COMMAND,
  NODE_IMAGE,
  reach,
  readSeen,
  run,
  SILENT_MS,
  serverCode,
  startJob,
  startServer,
} from '../../support/network/attack.ts';
import { describeHost } from '../../support/network/describe.ts';
import { HOST, OUTSIDE, PORTS, TestHost } from '../../support/network/host.ts';

const BRIDGE = '172.18.0.1';
const { internet, resolver, neighbour6, ...closed } = OUTSIDE;

/** Everything that is not the internet: this host by all its names, its neighbours, and what goes to many. */
const CLOSED: readonly Attempt[] = [
  ...[BRIDGE, '172.17.0.1', HOST.wan, HOST.lan, ...Object.values(closed)].flatMap(
    (host): readonly Attempt[] => [
      `tcp ${host} ${PORTS.tcp}`,
      `tcp ${host} ${PORTS.http}`,
      `tcp ${host} ${PORTS.dns}`,
      `udp ${host} ${PORTS.dns}`,
      `udp ${host} ${PORTS.tcp}`,
    ],
  ),
  `udp 224.0.0.251 ${PORTS.mdns}`,
  `udp 172.18.0.255 ${PORTS.tcp}`,
  `udp 255.255.255.255 ${PORTS.tcp}`,
];

/** Under load, a container may take its time to serve. */
const SOON = { timeout: 20_000 };
/** A job whose questions for another's hardware address are dropped learns that nobody is there. */
const NOT_REACHED = new Set(['not reached']);

function outcomes(seen: Readonly<Record<string, string>>): ReadonlySet<string> {
  const reached = (word: string): string =>
    ['silent', 'EHOSTUNREACH'].includes(word) ? 'not reached' : word;
  return new Set(Object.values(seen).map(reached));
}

describeHost('what a job on the isolated network reaches', () => {
  let host: TestHost;

  beforeAll(async () => {
    host = await TestHost.open();
    host.importImage('node', NODE_IMAGE, NODE_COMMAND);
    await host.up();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  beforeEach(() => {
    host.contacts();
  });

  test('the internet, over TCP and UDP, and the answers come back', async () => {
    const open: readonly Attempt[] = [`tcp ${internet} ${PORTS.tcp}`, `tcp ${resolver} ${PORTS.dns}`];
    const answered: readonly Attempt[] = [`udp ${internet} ${PORTS.tcp}`, `udp ${resolver} ${PORTS.dns}`];
    const seen = await reach(host, [...open, ...answered]);
    expect(seen).toEqual({ ...all(open, 'open'), ...all(answered, 'answered') });
  });

  test('nothing of this host, its neighbours or the cloud around it', async () => {
    expect(await attack(host, CLOSED)).toEqual(all(CLOSED, 'silent'));
    expect(host.contacts()).toEqual([]);
    const tcp = CLOSED.filter((attempt) => attempt.startsWith('tcp'));
    expect(await host.withoutRules(() => reach(host, tcp))).toEqual(all(tcp, 'open'));
    // What was sent arrives without the rules, whatever way the answer takes.
    const udp = CLOSED.filter((attempt) => attempt.startsWith('udp'));
    host.contacts();
    await host.withoutRules(() => attack(host, udp));
    const arrived = new Set<string>();
    await expect
      .poll(() => {
        for (const contact of host.contacts()) arrived.add(contact);
        const missed = Object.values(closed).filter((at) => !arrived.has(`outside udp ${PORTS.tcp} ${at}`));
        return {
          missed,
          manyReachThisHost: [...arrived].filter((contact) => contact.startsWith('host udp')).length > 2,
        };
      }, SOON)
      .toEqual({ missed: [], manyReachThisHost: true });
  });

  test('names only through the resolvers that it was given, by the way of all its traffic', async () => {
    const ask = `const { Resolver } = require('dns');
      new Resolver({ tries: 1 }).resolve4('example.com', () => undefined);`;
    {
      await using _asking = await startJob(host, ask, [resolver]);
      await expect.poll(() => host.contacts(), SOON).toContain(`outside udp 53 ${resolver}`);
    }
    await run(host, `${ask} setTimeout(() => process.exit(0), ${SILENT_MS});`, [HOST.wan]);
    expect(host.contacts()).toEqual([]);
  });

  test('no port that this host publishes for another container', async () => {
    const server = await host.docker.createContainer({
      Image: NODE_IMAGE,
      Env: [`CODE=${serverCode(9090)}`],
      ExposedPorts: { '9090/tcp': {}, '9090/udp': {} },
      HostConfig: {
        PortBindings: { '9090/tcp': [{ HostPort: '9090' }], '9090/udp': [{ HostPort: '9090' }] },
      },
    });
    try {
      await server.start();
      const { Networks } = (await server.inspect()).NetworkSettings;
      const inside = Networks['bridge']?.IPAddress ?? '';
      // From outside it is there.
      await expect
        .poll(
          () => host.sh(`ip netns exec outside busybox nc -w 2 ${HOST.lan} 9090 </dev/null || true`),
          SOON,
        )
        .toBe('hello');
      const attempts = [HOST.wan, HOST.lan, BRIDGE, inside].flatMap((at): readonly Attempt[] => [
        `tcp ${at} 9090`,
        `udp ${at} 9090`,
      ]);
      expect(await attack(host, attempts)).toEqual(all(attempts, 'silent'));
      const published: readonly Attempt[] = [`tcp ${HOST.wan} 9090`, `udp ${HOST.wan} 9090`];
      const opened = await host.withoutRules(() => reach(host, published));
      expect(Object.values(opened)).toEqual(['open', 'answered']);
    } finally {
      await server.remove({ force: true });
    }
  });

  test('nothing closed by any redirection that the owner has set up', async () => {
    const rules = [
      // A public address that stands for a neighbour.
      `-d 203.0.113.99 -j DNAT --to-destination ${OUTSIDE.neighbour}`,
      // A proxy on this host through which all web traffic goes.
      `-p tcp --dport 3128 -j REDIRECT --to-ports ${PORTS.tcp}`,
      // A port of this host that stands for a host of the internet.
      `-d ${HOST.wan} -p tcp --dport 9091 -j DNAT --to-destination ${internet}:${PORTS.tcp}`,
    ];
    const change = (how: 'A' | 'D'): Promise<string> =>
      host.sh(rules.map((rule) => `iptables -t nat -${how} PREROUTING ${rule}`).join('\n'));
    const attempts: readonly Attempt[] = [
      `tcp 203.0.113.99 ${PORTS.tcp}`,
      `tcp ${internet} 3128`,
      `tcp ${HOST.wan} 9091`,
    ];
    await change('A');
    try {
      expect(await attack(host, attempts)).toEqual(all(attempts, 'silent'));
      expect(host.contacts()).toEqual([]);
      expect(await host.withoutRules(() => reach(host, attempts))).toEqual(all(attempts, 'open'));
    } finally {
      await change('D');
    }
  });

  /** Does something where neither Docker nor the tables for IP see what goes from job to job. */
  const whereBridged = async (work: () => Promise<void>): Promise<void> => {
    const among = '-i sharedcloud0 -o sharedcloud0 -j DROP';
    const bridged = '/proc/sys/net/bridge/bridge-nf-call-iptables';
    await host.sh(`iptables -D FORWARD ${among}; echo 0 >${bridged}`);
    try {
      await work();
    } finally {
      await host.sh(`echo 1 >${bridged}; iptables -A FORWARD ${among}`);
    }
  };

  test('no other job, even where Docker keeps them apart no longer', async () => {
    await using other = await startServer(host, 7070);
    const attempts: readonly Attempt[] = [`tcp ${other.address} 7070`, `udp ${other.address} 7070`];
    await whereBridged(async () => {
      expect(outcomes(await attack(host, attempts))).toEqual(NOT_REACHED);
      const opened = await host.withoutRules(() => reach(host, attempts));
      expect(Object.values(opened)).toEqual(['open', 'answered']);
    });
  });

  test('no other job by what is sent to all or to many', async () => {
    await using other = await startServer(host, 7070);
    const attempts = ['255.255.255.255', '172.18.0.255', GROUP].map((to): Attempt => `udp ${to} 7070`);
    const toOne: Attempt = `udp ${other.address} 7070`;
    // Who was asked for its hardware address knows that of who asked.
    const askers = (): Promise<string> =>
      host.sh(`nsenter --net --target ${other.pid} ip -4 neighbour show | grep -v "^${BRIDGE} " || true`);
    await whereBridged(async () => {
      expect(await attack(host, attempts)).toEqual(all(attempts, 'silent'));
      await attack(host, [toOne]);
      expect(other.printed()).not.toContain('heard');
      expect(await askers()).toBe('');
      const opened = await host.withoutRules(() => reach(host, [...attempts, toOne]));
      expect(opened).toEqual(all([...attempts, toOne], 'answered'));
      expect(await askers()).not.toBe('');
    });
  });

  test('no more addresses of its own network than 254', async () => {
    const code = `const socket = require('dgram').createSocket('udp4');
      for (let n = 0; n < 3000; n += 1) socket.send('x', 9, '172.18.' + (n >> 8) + '.' + (n & 255), () => undefined);
      setTimeout(() => console.log('sent'), 1000);
      setTimeout(() => undefined, 60_000);`;
    await using job = await startJob(host, code);
    const { State } = await host.docker.getContainer(job.id).inspect();
    const neighbours = (): Promise<string> =>
      host.sh(`nsenter --net --target ${State.Pid} ip -4 neighbour show nud all | wc -l`);
    await expect.poll(async () => Number(await neighbours()), SOON).toBeGreaterThan(200);
    const printed = async (): Promise<string> => {
      const log = await host.docker.getContainer(job.id).logs({ stdout: true });
      return log.toString();
    };
    await expect.poll(printed, SOON).toContain('sent');
    expect(Number(await neighbours())).toBeLessThanOrEqual(260);
    // The kernel may have refused more for reasons of its own: what it has to be small for is the network.
    const { IPAM } = await host.docker.getNetwork('sharedcloud-jobs').inspect();
    expect(IPAM?.Config?.[0]?.['Subnet']).toMatch(/\/24$/);
  });

  const connections = async (): Promise<number> =>
    Number(await host.sh('cat /proc/sys/net/netfilter/nf_conntrack_count'));

  test('no more new connections in a while than its share', async () => {
    await host.forgetConnections();
    await run(host, dialCode(internet, 12_000));
    const taken = await connections();
    expect(taken).toBeGreaterThan(900);
    expect(taken).toBeLessThan(6000);
    // What the kernel has counted is no difference of the rules, and others call as before.
    expect((await host.network('status')).code).toBe(0);
    await host.forgetConnections();
    await host.withoutRules(() => run(host, dialCode(internet, 12_000)));
    expect(await connections()).toBeGreaterThan(11_000);
  });

  test('no more connections at once than its share', async () => {
    await host.forgetConnections();
    const chain = 'inet sharedcloud forward';
    const found = `nft -a list chain ${chain} | sed -n "s/.*@dialers.*handle //p"`;
    await host.sh(`nft delete rule ${chain} handle $(${found})`);
    try {
      await run(host, dialCode(internet, 12_000));
      const taken = await connections();
      expect(taken).toBeGreaterThan(8000);
      expect(taken).toBeLessThan(8700);
    } finally {
      await host.up();
    }
  });

  test('nothing over IPv6, even where it has addresses', async () => {
    await using job = await startServer(host, 7070);
    const inside = (command: string): Promise<string> =>
      host.sh(`nsenter --net --target ${job.pid} sh -c '${command}'`);
    await host.sh(`cd /proc/sys/net/ipv6/conf
      echo 1 >all/forwarding; echo 0 >sharedcloud0/disable_ipv6; ip address add fd00:99::1/64 dev sharedcloud0 nodad
      ip -n outside -6 route add fd00:99::/64 via ${HOST.lan6}`);
    await inside(`echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6
      ip address add fd00:99::2/64 dev eth0 nodad; ip -6 route add default via fd00:99::1`);
    // Without these, the rules of IPv4 would do: no job could ask for the hardware address of its gateway.
    const hardware = 'ip -br link show dev';
    const bridge = await host.sh(`${hardware} sharedcloud0 | grep -o "..:..:..:..:..:.."`);
    const own = await inside(`${hardware} eth0 | grep -o "..:..:..:..:..:.."`);
    await inside(`ip neighbour add fd00:99::1 lladdr ${bridge.trim()} dev eth0`);
    await host.sh(`ip neighbour add fd00:99::2 lladdr ${own.trim()} dev sharedcloud0`);
    const attempts = ['fd00:99::1', HOST.lan6, neighbour6].flatMap((at): readonly Attempt[] => [
      `tcp ${at} ${PORTS.tcp}`,
      `tcp ${at} ${PORTS.dns}`,
    ]);
    const program = ['nsenter', '--net', '--target', String(job.pid), process.execPath, '-e'];
    const seen = async (silentMs: number): Promise<Readonly<Record<string, string>>> =>
      readSeen((await host.run([...program, attackCode(attempts, silentMs)])).stdout);
    expect(outcomes(await seen(SILENT_MS))).toEqual(NOT_REACHED);
    expect(host.contacts()).toEqual([]);
    expect(await host.withoutRules(() => seen(ANSWER_MS))).toEqual(all(attempts, 'open'));
  });

  test('no one who calls it, from the internet or from this host', async () => {
    await using job = await startServer(host, 7070);
    // Docker 28 keeps others from a container too, in a way of its own.
    await host.sh('iptables -t raw -F PREROUTING && iptables -F DOCKER');
    for (const where of ['ip netns exec outside', '']) {
      const call = (seconds: number): Promise<string> =>
        host.sh(`${where} timeout ${seconds} busybox nc ${job.address} 7070 </dev/null || true`);
      expect(await call(SILENT_MS / 1_000)).toBe('');
      expect(await host.withoutRules(() => call(ANSWER_MS / 1_000))).toBe('hello');
    }
    // Whether it may be sent at all is the host's to say.
    const send = (words: string): Promise<unknown> =>
      host.run(['bash', '-c', `echo ${words} >/dev/udp/${job.address}/7070`]);
    await send('first');
    await host.withoutRules(() => send('second'));
    await expect.poll(() => job.printed(), SOON).toContain('heard second');
    expect(job.printed()).not.toContain('heard first');
  });

  test('the same after the engine was restarted', async () => {
    await host.endEngine();
    await host.startEngine();
    expect(await attack(host, CLOSED)).toEqual(all(CLOSED, 'silent'));
    expect(host.contacts()).toEqual([]);
    expect((await host.network('status')).code).toBe(0);
  });
});
