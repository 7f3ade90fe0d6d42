import { expect, test } from 'vitest';
import { checkNetwork } from '../../../src/cli/check/check-network.ts';
import { checkTrafficLog } from '../../../src/cli/check/check-traffic-log.ts';
import { AgentError } from '../../../src/domain/errors.ts';

const missing = new AgentError('NETWORK_NOT_READY', 'it is not there', { hint: 'make it' });

test.each([
  ['that the owner does not want', { value: { wanted: 'none' }, ms: 1 }, 'ok'],
  ['of Docker, which reaches this host', { value: { wanted: 'bridge' }, ms: 1 }, 'warn'],
  ['that is verified', { value: { wanted: 'isolated' }, ms: 1 }, 'ok'],
  ['that could not be verified yet', { value: { wanted: 'isolated', unverified: 'no image' }, ms: 1 }, 'ok'],
  ['that is not isolated', { value: { wanted: 'isolated', leak: 'it is open' }, ms: 1 }, 'warn'],
  ['with rules of an older agent', { value: { wanted: 'isolated', line: 'port 25 is open' }, ms: 1 }, 'warn'],
  ['that is missing', { error: missing }, 'warn'],
] as const)(
  'a job network %s is never a failure, and has a hint where it is a warning: %s',
  (_, answer, level) => {
    const result = checkNetwork(answer);
    expect(result.level).toBe(level);
    expect(result.hint === undefined).toBe(level === 'ok');
  },
);

test('the log of connections is a line where the owner wants it, and names the package that is missing', () => {
  expect(checkTrafficLog(undefined)).toEqual([]);
  const log = { directory: '/log', conntrack: true, readable: true };
  expect(checkTrafficLog(log)).toMatchObject([{ level: 'ok' }]);
  expect(checkTrafficLog({ ...log, readable: false })).toMatchObject([{ level: 'warn' }]);
  const [missing] = checkTrafficLog({ ...log, conntrack: false });
  expect(missing?.level).toBe('warn');
  expect(missing?.hint).toContain('conntrack');
});
