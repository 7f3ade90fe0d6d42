import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type KeptNetwork, keepNetwork } from '../../../src/cli/network/keep.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { logged, logInto } from '../../support/log/log-into.ts';

const UNREACHABLE = new AgentError('RUNTIME_UNAVAILABLE', 'Docker is unreachable');

/** A job network in this process, kept until the scope ends. */
function keep(answers = true) {
  const lines: string[] = [];
  const stop = new AbortController();
  const engine = Promise.withResolvers<void>();
  const host = {
    lines,
    engine,
    compared: 0,
    repaired: 0,
    isRight: false,
    answers,
    fault: undefined as AgentError | undefined,
  };
  const network: KeptNetwork = {
    repair: () => {
      host.compared += 1;
      if (host.fault !== undefined) return Promise.reject(host.fault);
      if (host.isRight) return Promise.resolve(false);
      host.repaired += 1;
      host.isRight = true;
      return Promise.resolve(true);
    },
    rulesAnswer: () => Promise.resolve(host.answers),
    // The next engine stays.
    watchEngine: () =>
      Promise.resolve({ gone: host.compared === 1 ? engine.promise : new Promise<void>(() => undefined) }),
  };
  const ended = keepNetwork(network, logInto(lines), stop.signal);
  return Object.assign(host, {
    ended,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended.catch(() => undefined);
    },
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the job network is created, and compared again every minute', async () => {
  await using host = keep();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(host).toMatchObject({ compared: 1, repaired: 1 });
  host.isRight = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(host).toMatchObject({ compared: 2, repaired: 2 });
  expect(logged(host.lines, 'job-network-repaired')).toHaveLength(2);
});

test('one that is in place is left as it is, and said so once', async () => {
  await using host = keep();
  host.isRight = true;
  await vi.advanceTimersByTimeAsync(200_000);
  expect(host).toMatchObject({ compared: 4, repaired: 1 });
  expect(host.lines).toHaveLength(1);
});

test('rules that are gone are noticed in seconds', async () => {
  await using host = keep();
  await vi.advanceTimersByTimeAsync(12_000);
  Object.assign(host, { answers: false, isRight: false });
  await vi.advanceTimersByTimeAsync(6_000);
  expect(host.repaired).toBe(2);
});

test('rules that cannot be asked are compared every minute, no more often', async () => {
  await using host = keep(false);
  await vi.advanceTimersByTimeAsync(119_000);
  expect(host.compared).toBe(2);
});

test('an engine that stops is waited for, and its network is created when it is back', async () => {
  await using host = keep();
  await vi.advanceTimersByTimeAsync(1_000);
  Object.assign(host, { fault: UNREACHABLE, isRight: false });
  host.engine.resolve();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(logged(host.lines, 'job-network-failed')).toMatchObject([{ code: 'RUNTIME_UNAVAILABLE' }]);
  host.fault = undefined;
  await vi.advanceTimersByTimeAsync(6_000);
  expect(host.repaired).toBe(2);
});

test('a host that can have no job network ends the command', async () => {
  await using host = keep();
  host.fault = new AgentError('NETWORK_UNSUPPORTED', 'no nf_tables');
  host.engine.resolve();
  await expect(host.ended).rejects.toMatchObject({ code: 'NETWORK_UNSUPPORTED' });
});
