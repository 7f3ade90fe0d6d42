import { lstatSync, statSync } from 'node:fs';
import { AgentError } from '../domain/errors.ts';

/**
 * Throws STATE_DIR_UNUSABLE if another user could change what the agent writes there: the directory or a link to it
 * belongs to somebody else than `uid` or root, or others may write to it. Throws the system's error if it is absent.
 */
export function refuseForeignDirectory(path: string, uid: number): void {
  const refuse = (why: string, hint: string): AgentError =>
    new AgentError('STATE_DIR_UNUSABLE', `${path} ${why}`, { hint });
  const link = lstatSync(path);
  if (link.isSymbolicLink() && !isTrusted(link.uid, uid))
    throw refuse(`is a link of another user (uid ${link.uid})`, 'name the directory itself with --state-dir');
  const { mode, uid: owner } = statSync(path);
  if (!isTrusted(owner, uid))
    throw refuse(
      `belongs to another user (uid ${owner})`,
      uid === 0
        ? `run this as that user: sudo -u '#${owner}' sharedcloud-agent ...`
        : `chown -R ${uid} ${path}, or name another directory with --state-dir`,
    );
  if ((mode & 0o022) !== 0)
    throw refuse(
      `can be written to by other users (mode ${(mode & 0o7777).toString(8).padStart(4, '0')})`,
      `chmod go-w ${path}`,
    );
}

/** The user for whom `uid` acts on a state directory: root acts for the directory's owner, as with `sudo`. */
export function ownerFor(path: string, uid: number): number {
  return uid === 0 ? (statSync(path, { throwIfNoEntry: false })?.uid ?? uid) : uid;
}

function isTrusted(owner: number, uid: number): boolean {
  return owner === uid || owner === 0;
}
