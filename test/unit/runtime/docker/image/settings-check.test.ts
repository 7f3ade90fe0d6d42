import { expect, test } from 'vitest';
import { LIMITS } from '../../../../../src/limits.ts';
import { readImage } from '../../../../../src/runtime/docker/image/config.ts';
import { settingsRefusal } from '../../../../../src/runtime/docker/image/settings-check.ts';

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `/v${index}`);
const FIT = {
  envNames: ['PATH', '', 'A B'],
  labels: ['a'],
  ports: 1_000,
  volumes: ['/data', '/sharedcloud', '/a/../b'],
};

test('an ordinary image is fit', () => {
  expect(settingsRefusal('x', FIT)).toBeUndefined();
});

test('the ports of an image are counted', () => {
  const ports = Object.fromEntries(names(3).map((name) => [name, {}]));
  expect(readImage({ Id: 'x', Size: 0, Config: { ExposedPorts: ports } }).ports).toBe(3);
});

test('names may be as long together as they may be', () => {
  const longest = ['ä'.repeat(LIMITS.image.names.max / 2)];
  expect(settingsRefusal('x', { ...FIT, envNames: longest, labels: longest })).toBeUndefined();
});

test.each([
  ['a volume over everything', { volumes: ['/'] }],
  ['a volume over the kernel’s files', { volumes: ['/data/../proc/sys'] }],
  ['a volume in the job’s input', { volumes: ['/sharedcloud/x'] }],
  ['a volume over the engine’s init', { volumes: ['/sbin'] }],
  ['a relative volume', { volumes: ['data'] }],
  ['a volume without a path', { volumes: [''] }],
  ['a volume with an endless path', { volumes: [`/${'x'.repeat(5_000)}`] }],
  ['a thousand volumes', { volumes: names(1_000) }],
  ['ten thousand environment variables', { envNames: names(10_000) }],
  ['ten thousand labels', { labels: names(10_000) }],
  ['sixty thousand ports', { ports: 60_000 }],
  ['a thousand long labels', { labels: names(1_000).map((name) => name + 'x'.repeat(1_000)) }],
  ['one endless label', { labels: ['x'.repeat(LIMITS.image.names.max + 1)] }],
  ['labels that are longer in UTF-8', { labels: ['ä'.repeat(LIMITS.image.names.max / 2), 'x'] }],
  ['long environment variables', { envNames: ['LD_', 'x'.repeat(LIMITS.image.names.max)] }],
])('an image with %s is refused', (_, more) => {
  expect(settingsRefusal('x', { ...FIT, ...more })?.code).toBe('IMAGE_REFUSED');
});
