import { expect, test } from 'vitest';
import { bytesOf, readArguments } from '../../../../src/agent/market/job-arguments.ts';
import type { JobArguments } from '../../../../src/domain/job.ts';
import { inSlices } from '../../../../src/lib/slices.ts';
import { LIMITS } from '../../../../src/limits.ts';

const { max } = LIMITS.broker.argumentsInJson;

test.each<[string, JobArguments, string, boolean]>([
  ['a tuple', '(1, 2)', 'python36', true],
  ['no literal', 'oops(', 'python36', false],
  ['no literal, for Node.js', '(1,', 'node24', false],
  ['a literal of Python 2', '(1L,)', 'python27', true],
  ['the same for Python 3', '(1L,)', 'python36', false],
  ['of a length that only the runtime reads', { bytes: max }, 'python36', true],
  ['of a length that nothing reads', { bytes: max + 1 }, 'python27', false],
])('arguments that are %s', async (_, args, runtime, isReadable) => {
  const job = { uuid: 'j', run: 'r', status: 1, instance: null, leaseSeconds: undefined, cost: undefined };
  const { readable, unreadable } = await inSlices(readArguments([{ ...job, arguments: args }], runtime));
  expect(readable).toEqual(isReadable ? [{ ...job, argumentBytes: bytesOf(args) }] : []);
  expect(unreadable.map(({ uuid }) => uuid)).toEqual(isReadable ? [] : ['j']);
});

test('reading the arguments of a job is a long step', () => {
  const job = { uuid: 'j', run: 'r', status: 1, instance: null, leaseSeconds: undefined, cost: undefined };
  expect(readArguments([{ ...job, arguments: '()' }], 'python36').next().value).toBe('long');
});

test.each<[JobArguments, number]>([
  ['(1, 2)', 6],
  ['("€",)', 8],
  [{ bytes: 70_000 }, 70_000],
])('the arguments %j have %i bytes', (args, bytes) => {
  expect(bytesOf(args)).toBe(bytes);
});
