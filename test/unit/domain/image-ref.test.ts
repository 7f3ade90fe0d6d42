import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalImageRef, imageAllowed, parseImageRef, registryOf } from '../../../src/domain/image-ref.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('image references', () => {
  test.each([
    ['sharedcloud/python36', 'sharedcloud/python36:latest'],
    ['sharedcloud/tensorflow-gpu-python36:latest', 'sharedcloud/tensorflow-gpu-python36:latest'],
    ['localhost:5000/sharedcloud/web__x.y--z:1.0-rc_1', 'localhost:5000/sharedcloud/web__x.y--z:1.0-rc_1'],
    ['docker.io/sharedcloud/python36:2', 'sharedcloud/python36:2'],
    ['docker.io/library/busybox', 'busybox:latest'],
    ['library/busybox:1', 'busybox:1'],
    ['docker.io/library/team/busybox', 'library/team/busybox:latest'],
    ['ghcr.io/library/busybox', 'ghcr.io/library/busybox:latest'],
    [`sharedcloud/a@${DIGEST}`, `sharedcloud/a@${DIGEST}`],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest'],
  ])('%s is %s', (text, canonical) => {
    const ref = parseImageRef(text);
    expect(ref === undefined ? undefined : canonicalImageRef(ref)).toBe(canonical);
  });

  test.each([
    '',
    ' a',
    'UPPER/case',
    'a b',
    '../etc',
    'a//b',
    '/a',
    'a/',
    'a:',
    'a:b:c',
    'a@sha256:12',
    '-a',
    'a\n',
    'a$(id)',
  ])('%j is none', (text) => expect(parseImageRef(text)).toBeUndefined());

  test('any text is parsed quickly, and no unusual characters pass', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), (text) => {
        const ref = parseImageRef(text);
        if (ref !== undefined) expect(canonicalImageRef(ref)).toMatch(/^[A-Za-z0-9._:/@-]+$/);
      }),
    );
    const began = process.cpuUsage().user;
    parseImageRef(`${'a_'.repeat(250)}!`);
    expect(process.cpuUsage().user - began).toBeLessThan(500_000);
  });
});

describe('the owner’s list of images', () => {
  test.each([
    ['sharedcloud/python36:latest', ['sharedcloud/*'], true],
    ['docker.io/sharedcloud/python36', ['sharedcloud/*'], true],
    ['evil/sharedcloud/python36', ['sharedcloud/*'], false],
    ['sharedcloudx/python36', ['sharedcloud/*'], false],
    ['sharedcloud/python36:3', ['sharedcloud/python36'], true],
    ['sharedcloud/python36:3', ['sharedcloud/python36:2'], false],
    ['localhost:5000/sharedcloud/python36', ['sharedcloud/*'], false],
    ['localhost:5000/sharedcloud/python36', ['localhost:5000/*'], true],
    ['a/b-gpu:1', ['a/*-gpu:*'], true],
    ['a/ab', ['a/ab*b'], false],
    ['anything/at-all', ['*'], true],
    ['python:3', ['library/*'], true],
    ['library/python:3', ['python'], true],
    ['python:3', ['docker.io/library/python:3'], true],
    ['team/python:3', ['library/*'], false],
    ['ghcr.io/library/python', ['library/*'], false],
    ['not an image', ['*'], false],
    ['sharedcloud/a', [], false],
  ])('%s on %j: %s', (ref, patterns, allowed) => {
    expect(imageAllowed(ref, patterns)).toBe(allowed);
  });
});

test.each([
  ['busybox', 'docker.io'],
  ['docker.io/library/busybox', 'docker.io'],
  ['index.docker.io/team/x:1', 'docker.io'],
  ['team/x', 'docker.io'],
  ['ghcr.io/team/x:1', 'ghcr.io'],
  ['GHCR.io/team/x', 'ghcr.io'],
  ['localhost/x', 'localhost'],
  ['localhost:5000/x/y@sha256:' + '1'.repeat(64), 'localhost:5000'],
  ['10.0.0.1:5000/x', '10.0.0.1:5000'],
  ['registry:5000/x', 'registry:5000'],
])('the registry of %s is %s', (text, registry) => {
  expect(registryOf(parseImageRef(text) ?? { repository: '' })).toBe(registry);
});
