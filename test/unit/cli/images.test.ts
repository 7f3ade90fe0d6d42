import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectedText, imagesText } from '../../../src/cli/images/render.ts';
import { runLine } from '../../support/cli/run.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

test('without an agent a pin is set in the journal, once, and taken out again', async () => {
  const stateDir = join(scratchDir(), 'state');
  const env = { SHAREDCLOUD_STATE_DIR: stateDir };
  const image = 'docker.io/sharedcloud/python36';
  const pinned = await runLine(['images', 'pin', image, '--json'], env);
  expect(pinned.exit).toBe(0);
  const ref = 'sharedcloud/python36:latest';
  expect(JSON.parse(pinned.stdout)).toMatchObject({ agentRunning: false, changed: true, pins: [{ ref }] });
  const again = await runLine(['images', 'pin', ref, '--json'], env);
  expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, pins: [{ ref }] });
  withJournal(stateDir, ({ decisions, images }) => {
    expect(images.pins().map((pin) => pin.ref)).toEqual([ref]);
    expect(decisions.audit(9).map(({ action }) => action)).toEqual(['image-pin']);
  });
  const unpinned = await runLine(['images', 'unpin', ref, '--json'], env);
  expect(JSON.parse(unpinned.stdout)).toMatchObject({ changed: true, pins: [] });
});

test.each(['', 'UPPER/case', 'sha256:abc', 'a b', '../etc'])('%j is no image to pin', async (image) => {
  const env = { SHAREDCLOUD_STATE_DIR: join(scratchDir(), 'state') };
  const { exit, stderr } = await runLine(['images', 'pin', image], env);
  expect(exit).not.toBe(0);
  expect(stderr).toMatch(image === '' ? /pin/ : /IMAGE_NAME_INVALID/);
});

test('without an agent the pins are shown from the journal', async () => {
  const env = { SHAREDCLOUD_STATE_DIR: join(scratchDir(), 'state') };
  const shown = async (): Promise<unknown> => JSON.parse((await runLine(['images', '--json'], env)).stdout);
  expect(await shown()).toEqual({ agentRunning: false, disk: null, images: [], pins: [] });
  await runLine(['images', 'pin', 'python'], env);
  expect(await shown()).toMatchObject({ images: [], pins: [{ ref: 'python:latest' }] });
  expect((await runLine(['images'], env)).stdout).toContain('python:latest');
});

test('what would be removed is known to the running agent only', async () => {
  const env = { SHAREDCLOUD_STATE_DIR: join(scratchDir(), 'state') };
  for (const words of [
    ['images', 'gc'],
    ['images', 'gc', '--dry-run', '--json'],
  ]) {
    const { exit, stderr } = await runLine(words, env);
    expect(exit).not.toBe(0);
    expect(stderr).toContain('AGENT_NOT_RUNNING');
  }
});

const GB = 1e9;
const IMAGE = {
  id: 'sha256:0123456789abcdef0123456789abcdef',
  names: ['sharedcloud/python36:latest', `sharedcloud/python36@sha256:${'a'.repeat(64)}`],
  sizeBytes: 4 * GB,
  ownBytes: GB,
  valuePerDayMicroDollars: 1_250_000,
  pulledAt: 1,
  usedAt: null,
  pinned: false,
  keep: null,
  why: null,
};
const DISK = { usedBytes: 90 * GB, totalBytes: 100 * GB, high: 0.85, low: 0.8 };
const PAGE = {
  write: () => undefined,
  isTerminal: false,
  colour: false,
  columns: 80,
  redact: (text: string) => text,
};

test('a table of images fits a terminal, names none by its digest that has a tag, and names all', () => {
  const nameless = { ...IMAGE, names: [], keep: 'owners-image', why: 'the agent did not pull it' };
  const pins = [{ ref: 'absent:latest', at: 1, by: 'alice' }];
  const text = imagesText(
    { listed: { disk: DISK, images: [IMAGE, nameless], pins }, isRunning: true },
    0,
    PAGE,
  );
  expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);
  expect(text).not.toContain('aaaa');
  expect(text).toContain('0123456789ab');
  expect(text).toContain('$1.2500');
  expect(text).toContain('90 %');
  expect(text).toContain('absent:latest');
});

test('a collection says what went or would go, and why the others stay', () => {
  const removed = [{ ...IMAGE, freedBytes: GB }];
  const kept = [{ ...IMAGE, names: ['mine:latest'], keep: 'pinned', why: 'it is pinned' }];
  const dry = collectedText({ dryRun: true, disk: DISK, removed, kept }, false, PAGE);
  expect(dry).toMatch(/1 image would be removed/);
  expect(dry).toContain('it is pinned');
  const done = collectedText({ dryRun: false, disk: null, removed: [], kept }, false, PAGE);
  expect(done).toMatch(/nothing removed/);
});
