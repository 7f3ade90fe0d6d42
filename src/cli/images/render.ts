import { z } from 'zod';
import { IMAGE_VIEWS } from '../../control-api/image-views.ts';
import { readableBytes, readableDuration, readableEarnings } from '../../lib/readable.ts';
import type { Writer } from '../command.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { Pinned } from './pins.ts';

type Images = z.output<typeof IMAGE_VIEWS.images>;
export type Collected = z.output<typeof IMAGE_VIEWS.collected>;
type Image = Images['images'][number];
/** `isRunning` is false where no agent runs: then only the pins are known. */
export type ShownImages = { readonly listed: Images; readonly isRunning: boolean };

/** As JSON, with everything. */
export function imagesJson({ isRunning, listed }: ShownImages): string {
  const encoded = z.encode(IMAGE_VIEWS.images, listed);
  return `${JSON.stringify({ agentRunning: isRunning, ...encoded }, null, 2)}\n`;
}

/** The images of the engine and why they stay; then the disk, and pins of images that are not here. */
export function imagesText({ isRunning, listed }: ShownImages, now: number, page: Page): string {
  const { disk, images, pins } = listed;
  const here = new Set(images.flatMap(({ names }) => names));
  const absent = pins.filter(({ ref }) => !here.has(ref)).map(({ ref }) => ref);
  const parts = [
    isRunning ? '' : 'no agent is running: only pins are known\n',
    images.length > 0 || !isRunning ? '' : 'no images are known\n',
    images.length === 0 ? '' : table(columnsAt(now), images, page),
    reasonsText(images, page),
    isRunning ? linesText(diskText(disk), page) : '',
    absent.length === 0
      ? ''
      : linesText(`pinned${isRunning ? ', and not here' : ''}: ${absent.join(', ')}`, page),
    absent.length === 0 && !isRunning ? 'no image is pinned\n' : '',
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** What the pins are now. */
export function pinnedText({ agentRunning, changed, pins }: Pinned, isJson: boolean): string {
  if (isJson) {
    const encoded = z.encode(IMAGE_VIEWS.pinned, { changed, pins });
    return `${JSON.stringify({ agentRunning, ...encoded }, null, 2)}\n`;
  }
  const before = changed ? '' : 'nothing changed: it was so before\n';
  const names = pins.map(({ ref }) => ref).join(', ');
  const state = names === '' ? 'no image is pinned' : `pinned: ${names}`;
  const later = agentRunning ? '' : 'no agent is running: its next start obeys\n';
  return `${before}${state}\n${later}`;
}

/** What has gone, or would go. */
export function collectedText(collected: Collected, isJson: boolean, stdout: Writer): string {
  if (isJson) return `${JSON.stringify(z.encode(IMAGE_VIEWS.collected, collected), null, 2)}\n`;
  const { disk, dryRun, kept, removed } = collected;
  const freed = readableBytes(removed.reduce((sum, { freedBytes }) => sum + freedBytes, 0));
  const went = dryRun ? 'would be removed' : 'removed';
  const parts = [
    removed.length === 0 ? '' : table(REMOVED_COLUMNS, removed, stdout),
    removed.length === 0
      ? `nothing ${went}\n`
      : `${count(removed.length, 'image')} ${went}, which ${dryRun ? 'would free' : 'freed'} ${freed}\n`,
    kept.length === 0 ? '' : table(KEPT_COLUMNS, kept, stdout),
    `${diskText(disk)}\n`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function columnsAt(now: number): readonly Column<Image>[] {
  const ago = (at: number): string => `${readableDuration(Math.max(now - at, 0))} ago`;
  return [
    { title: 'IMAGE', cell: nameText, wrap: true },
    { title: 'SIZE', cell: ({ sizeBytes }) => readableBytes(sizeBytes), right: true },
    { title: 'OWN', cell: ({ ownBytes }) => readableBytes(ownBytes), right: true },
    { title: 'A DAY', cell: worthText, right: true },
    { title: 'LAST USE', cell: ({ usedAt }) => (usedAt === null ? '-' : ago(usedAt)) },
    { title: 'STAYS', cell: ({ keep }) => keep ?? 'goes next' },
  ];
}

/** What the words of the last column mean. */
function reasonsText(images: readonly Image[], page: Page): string {
  const reasons = new Map(images.flatMap(({ keep, why }) => (keep === null ? [] : [[keep, why]])));
  return [...reasons].map(([keep, why]) => linesText(`${keep}: ${why}`, page)).join('');
}

const REMOVED_COLUMNS: readonly Column<Collected['removed'][number]>[] = [
  { title: 'IMAGE', cell: nameText, wrap: true },
  { title: 'FREES', cell: ({ freedBytes }) => readableBytes(freedBytes), right: true },
  { title: 'A DAY', cell: worthText, right: true },
];

const KEPT_COLUMNS: readonly Column<Collected['kept'][number]>[] = [
  { title: 'KEPT', cell: nameText, wrap: true },
  { title: 'BECAUSE', cell: ({ why }) => why ?? '', wrap: true },
];

/** By what runs ask for; the digest of a tag says nothing more. */
function nameText({ id, names }: Pick<Image, 'id' | 'names'>): string {
  const tags = names.filter((name) => !name.includes('@'));
  return (tags.length > 0 ? tags : names).join(', ') || id.replace('sha256:', '').slice(0, 12);
}

function worthText({ valuePerDayMicroDollars: value }: Pick<Image, 'valuePerDayMicroDollars'>): string {
  return value === 0 ? '-' : readableEarnings(value / 1e6);
}

function linesText(text: string, page: Page): string {
  return linesOf(text, page)
    .map((line) => `${line}\n`)
    .join('');
}

function diskText(disk: Images['disk']): string {
  if (disk === null) return 'the disk of the engine is not known, so no image is evicted';
  const { high, low, totalBytes, usedBytes } = disk;
  const percent = (part: number): string => `${Math.round(100 * part)} %`;
  const used = `${percent(usedBytes / Math.max(totalBytes, 1))} of ${readableBytes(totalBytes)}`;
  return `disk: ${used} in use; evictions begin above ${percent(high)} and end at ${percent(low)}`;
}
