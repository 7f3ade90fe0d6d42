import { readableBytes } from '../../lib/readable.ts';
import type { OwnerImageEvent } from './events.ts';
import type { LogEntry } from './log-entry.ts';

/** The log line of what the owner does with images. Pure. */
export function ownerImageEntry(event: OwnerImageEvent): LogEntry {
  const { by, kind: _kind, ...fields } = event;
  return { level: 'info', fields: { ...fields, by }, message: `${whatOf(event)} by ${by}` };
}

function whatOf(event: OwnerImageEvent): string {
  if (event.kind === 'image-pinned') return 'image pinned';
  if (event.kind === 'image-unpinned') return 'image no longer pinned';
  const { freedBytes, removed } = event;
  return `images removed: ${removed}, which frees ${readableBytes(freedBytes)}; asked for`;
}
