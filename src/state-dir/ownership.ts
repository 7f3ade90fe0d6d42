import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { foreignAccessTo, foreignOnTheWay } from '../lib/foreign-access.ts';

/**
 * Throws STATE_DIR_UNUSABLE if another user could change what the agent writes there: the directory or a link to it
 * belongs to somebody else than `uid` or root, or others may write to it. Throws the system's error if it is absent.
 */
export function refuseForeignDirectory(path: string, uid: number): void {
  const foreign = foreignAccessTo(path, uid);
  if (foreign === undefined) return;
  const { uid: owner } = statSync(path);
  // The journal of another user's agent stays that user's.
  const isOthers = uid === 0 && owner !== 0;
  throw new AgentError('STATE_DIR_UNUSABLE', `${path} ${foreign.why}`, {
    hint: isOthers ? `run this as that user: sudo -u '#${owner}' sharedcloud-agent ...` : foreign.hint,
  });
}

/**
 * Throws STATE_DIR_UNUSABLE if another user has put something into the directory, as while it was writable for others: a
 * link leads where that user wants, and a pipe blocks its reader.
 */
export function refusePlanted(path: string, uid: number): void {
  for (const name of readdirSync(path)) {
    const file = join(path, name);
    const owner = lstatSync(file, { throwIfNoEntry: false })?.uid;
    if (owner === undefined || owner === uid || owner === 0) continue;
    throw new AgentError('STATE_DIR_UNUSABLE', `${file} belongs to another user (uid ${owner})`, {
      hint: `remove it, or if it is yours: chown -h ${uid} ${file}`,
    });
  }
}

/** Throws STATE_DIR_UNUSABLE if another user could put something else in the place of the directory, which may be absent. */
export function refuseForeignPath(path: string, uid: number): void {
  const foreign = foreignOnTheWay(path, uid);
  if (foreign === undefined) return;
  throw new AgentError('STATE_DIR_UNUSABLE', `${path} ${foreign.why}`, { hint: foreign.hint });
}

/** The user for whom `uid` acts on a state directory: root acts for the directory's owner, as with `sudo`. */
export function ownerFor(path: string, uid: number): number {
  return uid === 0 ? (statSync(path, { throwIfNoEntry: false })?.uid ?? uid) : uid;
}
