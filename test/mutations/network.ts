import type { Mutation } from '../../scripts/mutations/mutation.ts';

const RULES = 'src/runtime/docker/network/rules.ts';
const LINE_RULES = 'src/runtime/docker/network/line-rules.ts';
const LINE = 'test/docker/network/line.test.ts';
const WALLS = 'test/docker/network/isolation.test.ts';

/** Where jobs must not get. */
const CLOSED = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

const ranges = CLOSED.map(
  (range): Mutation => ({
    protection: `jobs do not reach ${range}`,
    file: RULES,
    text: `  '${range}',\n`,
    becomes: '',
    test: {
      file: 'test/unit/runtime/docker/network/jobs-network.test.ts',
      name: 'close every address outside the public internet',
    },
  }),
);

const rule = (protection: string, text: string, name: string, test = WALLS): Mutation => ({
  protection,
  file: RULES,
  text,
  becomes: '',
  test: { file: test, name },
});

const option = (text: string, becomes: string, row: string): Mutation => ({
  protection: `a network with another ${row} is not relied on`,
  file: 'src/runtime/docker/network/network-spec.ts',
  text,
  becomes,
  test: { file: 'test/unit/runtime/docker/network/jobs-network.test.ts', name: row },
});

/** What a job reaches. */
export const NETWORK: readonly Mutation[] = [
  ...ranges,
  rule(
    'nothing over IPv6',
    '${job} meta nfproto ipv6 drop',
    'nothing over IPv6, even where it has addresses',
  ),
  rule(
    'nothing of this host, by any address',
    '${job} fib daddr type != unicast drop',
    'nothing closed by any redirection that the owner has set up',
  ),
  rule(
    'nothing of this host behind a redirection',
    '    ${job} drop\n',
    'nothing closed by any redirection that the owner has set up',
  ),
  rule(
    'nothing of the neighbours',
    '    ${job} ip daddr @closed drop\n',
    'nothing of this host, its neighbours or the cloud around it',
  ),
  rule(
    'nobody calls from outside',
    `    # Jobs are called by nobody; the answers to their own calls come back.
    \${toJob} ct state != { established, related } drop
`,
    'no one who calls it, from the internet or from this host',
  ),
  {
    protection: 'this host calls nobody',
    file: RULES,
    text: `hook output priority -10; policy accept;
    \${toJob} ct state != { established, related } drop
`,
    becomes: 'hook output priority -10; policy accept;\n',
    test: { file: WALLS, name: 'no one who calls it, from the internet or from this host' },
  },
  rule(
    'nothing of another job',
    // Either of them is enough against what is sent to one.
    '    ip saddr ${subnet} drop\n    arp saddr ip ${subnet} drop\n',
    'no other job, even where Docker keeps them apart no longer',
  ),
  rule(
    'no job is asked for its hardware address by another',
    '    arp saddr ip ${subnet} drop\n',
    'no other job by what is sent to all or to many',
  ),
  {
    protection: 'nothing that a job sends to all reaches others',
    file: RULES,
    text: '    ip saddr ${subnet} drop\n',
    becomes: '    ip saddr ${subnet} ip daddr ${subnet} drop\n',
    test: { file: WALLS, name: 'no other job by what is sent to all or to many' },
  },
  rule(
    'one job has a share of the connections of this host',
    '    ${job} ct state new add @callers { ip saddr ct count over ${CALLS.atOnce} } drop\n',
    'no more connections at once than its share',
  ),
  rule(
    'one job begins no more connections than its share',
    '    ${job} ct state new add @dialers { ip saddr limit rate over ${CALLS.newPerSecond}/second burst ${CALLS.burst} packets } drop\n',
    'no more new connections in a while than its share',
  ),
  {
    protection: 'the jobs’ network is no larger than it has to be',
    file: 'src/runtime/docker/network/jobs-network.ts',
    text: 'if (isSmall(created)) return created;',
    becomes: 'if (created) return created;',
    test: { file: WALLS, name: 'no more addresses of its own network than 254' },
  },
  {
    protection: 'without the rules no image tries the network',
    file: 'src/runtime/docker/network/isolated-network.ts',
    text: 'if (!isLocal || (await rulesAnswer(targets.refused, signal))) return targets;',
    becomes: 'if (targets) return targets;',
    test: {
      file: 'test/docker/network/verification.test.ts',
      name: 'is not tried where this host does not hear the rules',
    },
  },
  {
    protection: 'no job sends mail to other servers',
    file: LINE_RULES,
    text: "    ${job} tcp dport { ${closedPorts(limits).join(', ')} } reject with tcp reset\n",
    becomes: '',
    test: {
      file: LINE,
      name: 'refuse mail to other servers always, and other ports where the owner says so',
    },
  },
  {
    protection: 'no option opens port 25',
    file: LINE_RULES,
    text: 'new Set([SMTP_PORT, ...blockedPorts])',
    becomes: 'new Set(blockedPorts)',
    test: {
      file: 'test/unit/runtime/docker/network/line-rules.test.ts',
      name: 'port 25 is closed whatever the owner sets',
    },
  },
  {
    protection: 'no job sends faster than its rate',
    file: LINE_RULES,
    text: '${job} add @uploads { ip saddr ${over} } drop',
    becomes: '',
    test: { file: LINE, name: 'hold each job to its rate in each direction, and each has its own' },
  },
  {
    protection: 'no job receives faster than its rate',
    file: LINE_RULES,
    text: '    ${toJob} add @downloads { ip daddr ${over} } drop\n',
    becomes: '',
    test: { file: LINE, name: 'hold each job to its rate in each direction, and each has its own' },
  },
  rule(
    'the rules are verified by themselves',
    '    # The agent asks it too, from a container of its own or, in output, from this host.\n    ${ruleTargets}\n',
    'succeeds in Python and in Node.js where it is up, and leaves nothing behind',
    'test/docker/network/verification.test.ts',
  ),
  option("...(made.Scope === 'local' ? [] : ['Scope']),", '', 'Scope'),
  option(' && more.length === 0 ? [] : ', ' || true ? [] : ', 'IPAM'),
  {
    protection: 'jobs get no network that is not verified',
    file: 'src/agent/network/network-selector.ts',
    text: "if ('failure' in outcome) throw outcome.failure.why;",
    becomes: "if ('failure' in outcome) return;",
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is none where a probe reaches what it must not, logged once, and probed again a minute later',
    },
  },
  {
    protection: 'a verification ends with the engine that was probed',
    file: 'src/agent/network/network-selector.ts',
    text: 'void gone.then(() => watch.abort());',
    becomes: 'void gone;',
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is verified again after ten minutes, after the engine has gone, and where its rules have changed',
    },
  },
  {
    protection: 'a verification of an engine that has gone is invalid',
    file: 'src/agent/network/network-selector.ts',
    text: 'if (rules === rulesOf(targets) && !watch.signal.aborted) return;',
    becomes: 'return;',
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is verified again where the engine went during the probe',
    },
  },
  {
    protection: 'one image does not take the network from the jobs of another that wait',
    file: 'src/agent/network/network-selector.ts',
    text: "if (outcome !== undefined && 'verification' in outcome) return outcome;",
    becomes: 'if (outcome !== undefined) return outcome;',
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is not lost to a job that waits for the probe of an image in which no probe runs',
    },
  },
  {
    protection: 'what one image says takes the network from no other',
    file: 'src/agent/network/network-selector.ts',
    text: 'return open.length > 1;',
    becomes: 'return open.length > 0;',
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is none for the image alone that finds it open, and for all once a second one does too',
    },
  },
  {
    protection: 'an image that verifies nothing is probed ever less often',
    file: 'src/agent/network/network-selector.ts',
    text: 'backoffMs(RETRY.verifyNetwork, failures)',
    becomes: 'backoffMs(RETRY.verifyNetwork, 1)',
    test: {
      file: 'test/unit/agent/network/network-selector.test.ts',
      name: 'is probed less and less often with an image that verifies nothing, and at once where the rules are others',
    },
  },
];
