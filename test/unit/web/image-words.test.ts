import { expect, test } from 'vitest';
import type { Images } from '../../../src/web/answers.ts';
import { formatsOf, UNKNOWN } from '../../../src/web/format.ts';
import { absentPins, imageFacts, imageName, pinName } from '../../../src/web/image-words.ts';

const NOW = '2026-11-27T12:00:00.000Z';
const formats = formatsOf(['en-US'], 'UTC');
const IMAGE: Images['images'][number] = {
  id: `sha256:${'a1b2'.repeat(16)}`,
  names: ['python:3.14', `python@sha256:${'c'.repeat(64)}`],
  sizeBytes: 1.2e9,
  ownBytes: 1.2e9,
  valuePerDayMicroDollars: 1_230_000,
  pulledAt: '2026-11-27T09:00:00.000Z',
  usedAt: null,
  pinned: false,
  keep: null,
  why: null,
};
const pinOf = (ref: string) => ({ ref, at: NOW, by: 'alice' });
const factsOf = (image: Partial<typeof IMAGE>) => new Map(imageFacts({ ...IMAGE, ...image }, NOW, formats));

test('an image is called by its tags, else by its digest, else by its id', () => {
  expect(imageName(IMAGE)).toBe('python:3.14');
  expect(imageName({ ...IMAGE, names: ['a@sha256:b'] })).toBe('a@sha256:b');
  expect(imageName({ ...IMAGE, names: [] })).toBe('a1b2a1b2a1b2');
});

test('a pin is ended by the name that was pinned, of which there may be several', () => {
  const names = ['a:1', 'a:2'];
  expect(pinName({ names }, [])).toBe('a:1');
  expect(pinName({ names }, [pinOf('a:2')])).toBe('a:2');
  expect(pinName({ names: [] }, [pinOf('a:2')])).toBeUndefined();
});

test('what is shared is said only where something is, and what is not known is a dash', () => {
  expect(factsOf({}).get('Size')).toBe('1.2 GB');
  expect(factsOf({ ownBytes: 3e8 }).get('Size')).toContain('300 MB');
  expect(factsOf({}).get('Last job')).toBe(UNKNOWN);
  expect(factsOf({ valuePerDayMicroDollars: 0 }).get('Worth a day')).toBe(UNKNOWN);
  expect(factsOf({ why: 'evil \u202etext' }).get('Stays')).not.toContain('\u202e');
});

test('pins of images that are not here are named', () => {
  expect(absentPins({ images: [IMAGE], pins: [pinOf('python:3.14'), pinOf('rust:1')] })).toEqual(['rust:1']);
});
