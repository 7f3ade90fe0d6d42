import { count, decimal } from './number-types.ts';
import type { Option } from './option.ts';
import type { Problem } from './problem.ts';
import { size } from './size.ts';
import { choice, imagePatterns } from './text-types.ts';
import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** A part of a disk, from 1 % to 100 %. */
const diskPart: ValueType<number> = single({
  metavar: 'PERCENT',
  parse: (text) => {
    const hint = 'write a percentage of the disk from 1% to 100%, such as 85%';
    const percent = decimal(text.replace(/\s*%$/, ''), hint);
    if (percent < 1 || percent > 100) throw new BadValue(`${quoted(text)} is not from 1% to 100%`, hint);
    return percent / 100;
  },
  show: (part) => `${Number((part * 100).toFixed(4))}%`,
});

/** US dollars per gigabyte. */
const dollarsPerGigabyte: ValueType<number> = single({
  metavar: 'DOLLARS',
  parse: (text) => {
    const hint = 'write US dollars per GB from 0 to 100, such as 0.01';
    const value = decimal(text, hint);
    if (value < 0 || value > 100) throw new BadValue(`${quoted(text)} is not from 0 to 100`, hint);
    return value;
  },
});

/** The options of the images of jobs; a part of the table of all options. */
export const IMAGE_OPTIONS = {
  images: {
    name: 'images',
    env: 'SHAREDCLOUD_IMAGES',
    type: imagePatterns,
    default: 'sharedcloud/*',
    help: 'images that jobs may use; `*` matches any characters',
    group: 'Offer',
  },
  maxPulls: {
    name: 'max-pulls',
    env: 'SHAREDCLOUD_MAX_PULLS',
    type: count(1, 16),
    default: '2',
    help: 'how many images are pulled at the same time; the best run’s image comes first',
    group: 'Offer',
  },
  maxImageSize: {
    name: 'max-image-size',
    env: 'SHAREDCLOUD_MAX_IMAGE_SIZE',
    type: size('1 MB', '10 TB'),
    default: '20 GB',
    help: 'maximum size of an image; larger ones are not pulled',
    group: 'Offer',
  },
  imageDiskHigh: {
    name: 'image-disk-high',
    env: 'SHAREDCLOUD_IMAGE_DISK_HIGH',
    type: diskPart,
    default: '85%',
    help: 'how full the disk of Docker may be before the agent removes images that it has pulled itself; see docs/images.md',
    group: 'Offer',
  },
  imageDiskLow: {
    name: 'image-disk-low',
    env: 'SHAREDCLOUD_IMAGE_DISK_LOW',
    type: diskPart,
    default: '80%',
    help: 'how full the disk of Docker is after that; up to here images are pulled ahead',
    group: 'Offer',
  },
  prefetch: {
    name: 'prefetch',
    env: 'SHAREDCLOUD_PREFETCH',
    type: choice('on', 'off'),
    default: 'on',
    help: '`on`: images that runs of past days wanted are pulled while nothing else is, where they are worth more than their pull costs',
    group: 'Offer',
  },
  pullCost: {
    name: 'pull-cost',
    env: 'SHAREDCLOUD_PULL_COST',
    type: dollarsPerGigabyte,
    default: '0.01',
    help: 'what pulling a GB costs, in US dollars; the dearer, the fewer images are pulled ahead',
    group: 'Offer',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** What is wrong with the marks together. Pure. */
export function imageDiskProblems({
  imageDiskHigh: high,
  imageDiskLow: low,
}: {
  readonly imageDiskHigh: number;
  readonly imageDiskLow: number;
}): readonly Problem[] {
  if (low < high) return [];
  const [highPercent, lowPercent] = [high, low].map((part) => diskPart.show(part));
  return [
    {
      where: 'image-disk-low',
      what: `image-disk-low (${lowPercent}) is not less than image-disk-high (${highPercent})`,
      hint: 'set image-disk-low below image-disk-high, such as 80% and 85%',
    },
  ];
}
