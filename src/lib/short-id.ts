const UUID = /([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const SHA256 = /(?<![0-9a-f])([0-9a-f]{8})[0-9a-f]{56}(?![0-9a-f])/gi;

/** A text with its UUIDs and SHA-256 digests cut to their first 8 characters, which is enough to tell them apart. */
export function shortIds(text: string): string {
  return text.replace(UUID, '$1').replace(SHA256, '$1');
}
