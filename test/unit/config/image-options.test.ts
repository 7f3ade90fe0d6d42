import { expect, test } from 'vitest';
import { IMAGE_OPTIONS, imageDiskProblems } from '../../../src/config/image-options.ts';
import { BadValue } from '../../../src/config/value-type.ts';

const { imageDiskHigh, pullCost } = IMAGE_OPTIONS;

test.each([
  ['85%', 0.85],
  ['85 %', 0.85],
  ['99.5', 0.995],
])('a mark of the disk may be written as %s', (text, part) => {
  expect(imageDiskHigh.type.read([text])).toBe(part);
});

test.each(['0.85', '0%', '101%', 'full'])('a mark of the disk is no %s', (text) => {
  expect(() => imageDiskHigh.type.read([text])).toThrow(BadValue);
});

test('a mark is shown as it may be written', () => {
  expect(imageDiskHigh.type.show(0.995)).toBe('99.5%');
});

test.each(['-1', '101', 'much'])('the cost of pulls is not %s', (text) => {
  expect(() => pullCost.type.read([text])).toThrow(BadValue);
});

test('the low mark is below the high one', () => {
  expect(imageDiskProblems({ imageDiskHigh: 0.85, imageDiskLow: 0.8 })).toEqual([]);
  expect(imageDiskProblems({ imageDiskHigh: 0.8, imageDiskLow: 0.8 })).toMatchObject([
    { where: 'image-disk-low' },
  ]);
});
