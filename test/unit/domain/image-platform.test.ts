import { describe, expect, test } from 'vitest';
import { imagePlatform, platformName, runsOn } from '../../../src/domain/image-platform.ts';

describe('an image', () => {
  test.each([
    ['linux/amd64', 'linux/x86_64', true],
    ['linux/arm64/v8', 'linux/aarch64', true],
    ['linux/arm64', 'linux/aarch64', true],
    ['linux/arm64/v9', 'linux/aarch64', true],
    ['linux/amd64/v3', 'linux/x86_64', true],
    ['linux/ppc64le', 'linux/ppc64le', true],
    // Imported without a platform
    ['/', 'linux/x86_64', true],
    ['linux/', 'linux/aarch64', true],
    ['linux/amd64', 'linux/', true],
    ['linux/amd64', 'linux/aarch64', false],
    ['linux/arm64', 'linux/x86_64', false],
    ['linux/arm/v7', 'linux/aarch64', false],
    ['linux/386', 'linux/x86_64', false],
    ['linux/s390x', 'linux/x86_64', false],
    ['windows/amd64', 'linux/x86_64', false],
    ['unknown/unknown', 'linux/x86_64', false],
  ])('for %s on an engine of %s: %s', (image, engine, runs) => {
    const parse = (text: string) => imagePlatform(...text.split('/'));
    expect(runsOn(parse(image), parse(engine))).toBe(runs);
  });

  test('names its platform as Docker does', () => {
    expect(platformName(imagePlatform('Linux', 'aarch64', 'V8'))).toBe('linux/arm64/v8');
    expect(platformName(imagePlatform())).toBe('unknown/unknown');
  });
});
