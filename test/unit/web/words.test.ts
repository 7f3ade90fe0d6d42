import { expect, test } from 'vitest';
import { z } from 'zod';
import { STATUS, type Status } from '../../../src/control-api/status-schema.ts';
import { formatsOf, listed } from '../../../src/web/format.ts';
import { besides, headline, worstProblem } from '../../../src/web/host-words.ts';
import { costText, reclaimLines } from '../../../src/web/reclaim-words.ts';
import {
  isAllPaused,
  isPaused,
  modeOf,
  offerName,
  targetBadge,
  targetLabel,
  targetName,
} from '../../../src/web/target-words.ts';
import { aRunningJob, aStatus, aTarget, NOON } from '../../support/control/a-status.ts';

const formats = formatsOf(['en-US'], 'UTC');
const NOW = new Date(NOON).toISOString();
const PAUSED = { kind: 'manual', why: 'paused by ada', until: NOON + 8_040_000, hint: null } as const;
const SICK = { why: 'the engine does not answer', hint: 'restart it' };

/** As the page gets it. */
const wire = (more: Partial<Status>) => z.encode(STATUS, aStatus(more));
const one = (more: Partial<Status['targets'][number]>) => {
  const [target] = wire({ targets: [aTarget(more)] }).targets;
  if (target === undefined) throw new Error('there is no target');
  return target;
};
const held = wire({
  state: 'held',
  targets: [aTarget({ hold: PAUSED, jobs: [aRunningJob()] })],
  reason: { ...PAUSED, targets: ['GPU-1'], names: ['GPU 0 (NVIDIA T4)'] },
});

test('a held host says why, until when, and how long that is', () => {
  const text = headline(held, NOW, formats).replace(/\s/gu, ' ');
  expect(text).toMatch(/: paused by ada until .*, in 2 hr 14 min$/);
  expect(besides(held, NOW, formats)).toMatch(/^1 job /);
});

test('a working host says which of its GPUs take no jobs, by their short names', () => {
  const status = wire({
    state: 'working',
    targets: [aTarget(), aTarget({ target: 'GPU-2', index: 1, hold: PAUSED })],
    reason: { ...PAUSED, targets: ['GPU-2'], names: ['GPU 1 (NVIDIA T4)'] },
  });
  expect(headline(status, NOW, formats)).toBe(status.sentence);
  expect(besides(status, NOW, formats)).toMatch(/^GPU 1 .*paused by ada/);
});

test('the problem that the sentence names already is not named twice', () => {
  const reason = { kind: 'safety', ...SICK, until: null, targets: [], names: [] } as const;
  expect(worstProblem(wire({ state: 'blocked', problem: SICK, reason }))).toEqual({
    why: undefined,
    hint: SICK.hint,
  });
  expect(worstProblem(wire({ state: 'working', problem: SICK }))).toEqual(SICK);
  expect(worstProblem(wire({}))).toBeUndefined();
});

test.each([
  ['working', { jobs: [aRunningJob()] }],
  ['waiting', {}],
  ['not offered', { slots: 0 }],
  ['paused until 02:14 PM', { hold: PAUSED }],
  ['off', { hold: { ...PAUSED, until: null }, mode: 'off' }],
  ['cordoned', { hold: { ...PAUSED, until: null, kind: 'safety' } }],
  ['in use', { hold: { ...PAUSED, until: null, kind: 'presence' } }],
] as const)('the badge %s', (word, more) => {
  expect(targetBadge(one(more), true, NOW, formats).word.replace(/\s/gu, ' ')).toBe(word);
});

test('a GPU is named by its index, a slice by its profile too', () => {
  expect(targetName(one({ model: 'NVIDIA GeForce RTX 3090' }))).toEqual({ name: 'GPU 0', more: 'RTX 3090' });
  expect(targetName(one({ kind: 'slice', profile: '1g.5gb' })).more).toContain('1g.5gb');
  expect(targetName(one({ index: null, name: '\u202eGPU' })).name).toBe(String.raw`\u{202e}GPU`);
});

test('on one line a GPU has its model beside it, and an offer its model alone', () => {
  expect(targetLabel(one({ model: 'NVIDIA GeForce RTX 3090' }))).toBe('GPU 0 · RTX 3090');
  expect(targetLabel(one({ kind: 'cpu', index: null }))).toBe('CPU');
  expect(offerName('gpu:NVIDIA GeForce RTX 3090')).toBe('RTX 3090');
  expect(offerName('gpu:Tesla T4')).toBe('Tesla T4');
  expect(offerName('cpu')).toBe('CPU');
});

test('a pause can be resumed, a mode cannot', () => {
  expect(isPaused(one({ hold: PAUSED }))).toBe(true);
  expect(isPaused(one({ hold: PAUSED, mode: 'off' }))).toBe(false);
  expect(isAllPaused(held)).toBe(true);
  expect(isAllPaused(wire({ targets: [] }))).toBe(false);
});

test('targets of several modes have none in common', () => {
  expect(modeOf([one({ mode: 'on' }), one({ mode: 'on' })])).toBe('on');
  expect(modeOf([one({ mode: 'on' }), one({})])).toBeUndefined();
});

test('the cost of a reclaim is the sum, beside the end of the last job', () => {
  const job = { job: 'a', function: 'f', target: 'GPU-1', ranMs: 843_000, unpaid: 0.8, endsBy: NOW };
  const later = { ...job, ranMs: 182_000, unpaid: 0.05, endsBy: '2026-11-27T18:42:00.000Z' };
  const text = costText({ jobs: [job, later] }, NOW, formats).replace(/\s/gu, ' ');
  expect(text).toContain('2 jobs, 14 min and 3 min');
  expect(text).toContain('$0.85');
  expect(text).toContain('06:42 PM');
});

test('a reclaim says what is free, what is not, and whose it is', () => {
  const lines = reclaimLines(
    {
      changed: true,
      targets: [],
      jobs: [{ job: 'a', function: 'f', target: 'GPU-1', ranMs: 1, unpaid: 0, endsBy: NOW }],
      left: ['a'],
      problem: null,
      tookMs: 4_000,
      gpus: [
        { gpu: 'GPU-1', state: 'free', inUseMiB: 0, processes: [] },
        { gpu: 'GPU-2', state: 'in-use', inUseMiB: 1024, processes: [{ pid: 123, usedMiB: null }] },
        { gpu: 'GPU-3', state: 'unknown', inUseMiB: 0, processes: [] },
      ],
    },
    formats,
  );
  expect(lines.map(({ isDone }) => isDone)).toEqual([true, false, true, false, false]);
  expect(lines[3]?.text).toContain('process 123');
});

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
])('%j are listed as words', (words, text) => {
  expect(listed(words)).toBe(text);
});
