import { createHash } from 'node:crypto';
import type { ImageLayer } from '../../../domain/image-eviction.ts';

/** A step of an image's history: the bytes that it added, and the instruction that made it. */
export type HistoryStep = { readonly bytes: number; readonly createdBy: string };

/** Instructions that add no layer, as the classic builder and BuildKit write them. */
const SETTING =
  /^(?:\/bin\/sh -c #\(nop\) +)?(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b/;

/** An instruction that adds one only where its directory is not there yet. */
const WORKDIR = /^(?:\/bin\/sh -c #\(nop\) +)?WORKDIR\b/;

/**
 * An image's layers with the bytes that each takes on the engine's disk. Pure. The engine stores a layer once for each chain
 * of layers below it, so that a layer is named by its chain. `history` is in the order of the layers. The engine's size of the
 * image counts: containerd's image store also keeps the compressed layers, of which no history tells.
 */
export function storedLayers(
  diffIds: readonly string[],
  history: readonly HistoryStep[],
  imageBytes: number,
): readonly ImageLayer[] {
  const known = layerSizes(diffIds.length, history);
  const sum = known.reduce<number>((total, bytes) => total + (bytes ?? 0), 0);
  const unknown = known.filter((bytes) => bytes === undefined).length;
  const each = unknown === 0 ? 0 : Math.max(imageBytes - sum, 0) / unknown;
  const factor = unknown === 0 && sum > 0 ? Math.max(imageBytes / sum, 1) : 1;
  let chain = '';
  return diffIds.map((diffId, at) => {
    chain = chain === '' ? diffId : `sha256:${sha256(`${chain} ${diffId}`)}`;
    return { digest: chain, bytes: Math.round((known[at] ?? each) * factor) };
  });
}

/** The bytes of each layer; undefined: the history does not tell. */
function layerSizes(layers: number, history: readonly HistoryStep[]): readonly (number | undefined)[] {
  const empty = history.filter(({ bytes }) => bytes === 0);
  const wanted = layers - (history.length - empty.length);
  // Nothing else shows which of the steps without bytes added a layer.
  const kept = new Set(empty.toSorted((a, b) => doubtOf(a) - doubtOf(b)).slice(0, Math.max(wanted, 0)));
  const sizes = history.filter((step) => step.bytes > 0 || kept.has(step)).map(({ bytes }) => bytes);
  const isKnown = sizes.length <= layers && sizes.some((bytes) => bytes > 0);
  return Array.from({ length: layers }, (_, at) => (isKnown ? sizes[at] : undefined));
}

function doubtOf({ createdBy }: HistoryStep): number {
  if (SETTING.test(createdBy)) return 2;
  return WORKDIR.test(createdBy) ? 1 : 0;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
