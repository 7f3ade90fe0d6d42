import type { Images } from './answers.ts';
import { type Formats, UNKNOWN, visible } from './format.ts';
import { amount } from './money-words.ts';

/* What the page says about images. All functions are pure; `now` is the agent’s time in ISO 8601. */

type Image = Images['images'][number];

const ID_LENGTH = 12;

/** By what runs ask for it: a digest beside a tag says nothing more. The beginning of its id where it has no name. */
export function imageName({ id, names }: Pick<Image, 'id' | 'names'>): string {
  const tags = names.filter((name) => !name.includes('@'));
  const shown = tags.length > 0 ? tags : names;
  return shown.length > 0 ? shown.join(', ') : id.replace(/^sha256:/, '').slice(0, ID_LENGTH);
}

/** The name by which an image is pinned or no longer; undefined: it has none. */
export function pinName({ names }: Pick<Image, 'names'>, pins: Images['pins']): string | undefined {
  return names.find((name) => pins.some(({ ref }) => ref === name)) ?? names[0];
}

/** Names and values of an image. */
export function imageFacts(
  image: Image,
  now: string,
  formats: Formats,
): readonly (readonly [string, string])[] {
  const { ownBytes, pulledAt, sizeBytes, usedAt, valuePerDayMicroDollars: value, why } = image;
  const { bytes, time } = formats;
  return [
    ['Worth a day', value === 0 ? UNKNOWN : amount(value, formats)],
    [
      'Size',
      ownBytes === sizeBytes ? bytes(sizeBytes) : `${bytes(sizeBytes)}, ${bytes(ownBytes)} of its own`,
    ],
    ['Last job', usedAt === null ? UNKNOWN : time(usedAt, now)],
    ['Pulled', pulledAt === null ? 'not by the agent' : time(pulledAt, now)],
    ['Stays', why === null ? 'no: it goes next' : visible(why)],
  ];
}

/** `432.0 GB of 500.0 GB used`. */
export function diskText(disk: NonNullable<Images['disk']>, { bytes }: Formats): string {
  return `${bytes(disk.usedBytes)} of ${bytes(disk.totalBytes)} used`;
}

/** Between which marks images are evicted. */
export function marksText(disk: Images['disk'], { percent }: Formats): string {
  if (disk === null) return 'How full the disk is, is not known: no image is evicted.';
  const [high, low] = [percent(disk.high * 100), percent(disk.low * 100)];
  return `Above ${high} the images that are worth least are removed, down to ${low}.`;
}

/** The images that are pinned and not here. */
export function absentPins({ images, pins }: Pick<Images, 'images' | 'pins'>): readonly string[] {
  const here = new Set(images.flatMap(({ names }) => names));
  return pins.map(({ ref }) => ref).filter((ref) => !here.has(ref));
}
