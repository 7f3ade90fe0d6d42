import { AgentError } from '../../domain/errors.ts';
import { canonicalImageRef, parseImageRef } from '../../domain/image-ref.ts';
import type { ImagePin, ImageRecords } from '../../domain/ports/image-records.ts';
import type { Giver } from '../holds/owner-control.ts';

/** The records of pins, and who changes them at which time, in milliseconds of the wall clock. */
type Change = Giver & { readonly at: number };
type Pins = Pick<ImageRecords, 'pin' | 'pins' | 'unpin'>;

/** Pins an image; see `ImageKeeping`. Throws as it does. */
export function pinImage(
  records: Pins,
  name: string,
  { at, by, from }: Change,
): { readonly changed: boolean; readonly pin: ImagePin } {
  const ref = refOf(name);
  const known = records.pins().find((pin) => pin.ref === ref);
  if (known !== undefined) return { changed: false, pin: known };
  const pin = { ref, at, by };
  const changed = records.pin(pin, { at, by, from, action: 'image-pin', detail: JSON.stringify({ ref }) });
  return { changed, pin };
}

/** Ends the pin of an image; see `ImageKeeping`. Throws as it does. */
export function unpinImage(
  records: Pins,
  name: string,
  { at, by, from }: Change,
): { readonly changed: boolean; readonly ref: string } {
  const ref = refOf(name);
  const entry = { at, by, from, action: 'image-unpin', detail: JSON.stringify({ ref }) };
  return { changed: records.unpin(ref, entry), ref };
}

/** The canonical reference. Throws IMAGE_NAME_INVALID. */
function refOf(name: string): string {
  const parsed = parseImageRef(name.trim());
  // `sha256:…` would be the tag of a repository of that name.
  if (parsed === undefined || parsed.repository === 'sha256')
    throw new AgentError('IMAGE_NAME_INVALID', `not the name of an image: ${name.slice(0, 200)}`);
  return canonicalImageRef(parsed);
}
