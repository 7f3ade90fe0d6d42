import { expect, test } from 'vitest';
import { checkNetwork } from '../../../src/cli/check/check-network.ts';
import { AgentError } from '../../../src/domain/errors.ts';

const missing = new AgentError('NETWORK_NOT_READY', 'it is not there', { hint: 'make it' });

test.each([
  ['as the owner wants none', { value: { wanted: 'none' }, ms: 1 }, 'ok', /^none/],
  ['of Docker, which reaches too much', { value: { wanted: 'bridge' }, ms: 1 }, 'warn', /this host/],
  ['that was proved', { value: { wanted: 'isolated' }, ms: 1 }, 'ok', /proved/],
  [
    'that nothing could try yet',
    { value: { wanted: 'isolated', untried: 'no image' }, ms: 1 },
    'ok',
    /no image/,
  ],
  [
    'that is open',
    { value: { wanted: 'isolated', unproven: 'it is open' }, ms: 1 },
    'warn',
    /get none: .*open/,
  ],
  ['that is not there', { error: missing }, 'warn', /get none: it is not there/],
] as const)('the line for a network %s', (_, answer, level, found) => {
  const line = checkNetwork(answer);
  expect(line.level).toBe(level);
  expect(line.found).toMatch(found);
  // Whatever is amiss comes with what to do.
  expect(line.hint === undefined).toBe(level === 'ok');
});
