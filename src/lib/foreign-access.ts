import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Who else may change a file or directory, and the command that ends it. */
export type ForeignAccess = { readonly why: string; readonly hint: string };

/** What `stat` says about a file. */
type Found = Pick<Stats, 'gid' | 'mode' | 'uid'>;

/** The kernel follows as many links in a path. */
const MAX_LINKS = 40;
const STICKY = 0o1000;

/**
 * Whether another user than `uid` and root owns or may write to the file that `stat` found at `path`; undefined: none. What
 * names programs, engines or servers must not be in somebody else's hand.
 */
export function foreignAccess(path: string, found: Found, uid: number): ForeignAccess | undefined {
  return foreignOwner(path, found, uid) ?? openTo(writingOthers(found), path, found);
}

/**
 * The same of a directory as it is now, in which also no group may write, and of the way to it. Throws the system's error if
 * it is absent.
 */
export function foreignAccessTo(path: string, uid: number): ForeignAccess | undefined {
  const onTheWay = foreignOnTheWay(path, uid);
  if (onTheWay !== undefined) return onTheWay;
  const found = statSync(path);
  const classes = (found.mode & 0o022) === 0 ? undefined : 'go';
  return foreignOwner(path, found, uid) ?? openTo(classes, path, found);
}

function foreignOwner(path: string, { uid: owner }: Found, uid: number): ForeignAccess | undefined {
  if (isTrustedOwner(owner, uid)) return undefined;
  return { why: `belongs to another user (uid ${owner})`, hint: `chown ${uid} ${path}` };
}

function openTo(classes: string | undefined, path: string, { mode }: Found): ForeignAccess | undefined {
  if (classes === undefined) return undefined;
  return { why: `can be changed by other users (mode ${octal(mode)})`, hint: `chmod ${classes}-w ${path}` };
}

/**
 * Whether another user than `uid` and root may put something else in the place of `path`: a directory or a link on the way to
 * it is that user's, or others may rename what is in a directory. Undefined: none, as far as the path exists.
 */
export function foreignOnTheWay(path: string, uid: number): ForeignAccess | undefined {
  const asked = resolve(path);
  for (let rest = asked, links = 0; links <= MAX_LINKS; links += 1) {
    const found = walk(rest, asked, uid);
    if (found === undefined || typeof found !== 'string') return found;
    rest = found;
  }
  return undefined;
}

/** What is foreign on the way, or the path behind the first link of it. */
function walk(path: string, asked: string, uid: number): ForeignAccess | string | undefined {
  const names = path.split('/').filter(Boolean);
  for (let depth = 0; depth <= names.length; depth += 1) {
    const at = `/${names.slice(0, depth).join('/')}`;
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) {
      if (!isTrustedOwner(found.uid, uid)) return foreignLink(at, asked, found.uid, uid);
      return resolve(dirname(at), readlinkSync(at), ...names.slice(depth));
    }
    if (depth === names.length || !found.isDirectory()) return undefined;
    const foreign = foreignDirectory(at, found, uid);
    if (foreign !== undefined) return foreign;
  }
  return undefined;
}

function foreignLink(link: string, asked: string, owner: number, uid: number): ForeignAccess {
  const where = link === asked ? 'is' : `is reached through ${link},`;
  return { why: `${where} a link of another user (uid ${owner})`, hint: `chown -h ${uid} ${link}` };
}

/** Users who may write to a directory may rename what is in it, unless it is sticky. */
function foreignDirectory(directory: string, found: Stats, uid: number) {
  const { mode, uid: owner } = found;
  if (!isTrustedOwner(owner, uid) && owner !== rootOwner()) {
    const hint = `chown ${uid} ${directory}, or use another directory`;
    return { why: `is in ${directory}, which belongs to another user (uid ${owner})`, hint };
  }
  if ((mode & STICKY) !== 0) return undefined;
  const classes = writingOthers(found);
  if (classes === undefined) return undefined;
  const why = `is in ${directory}, which other users can write to (mode ${octal(mode)})`;
  return { why, hint: `chmod ${classes}-w ${directory}` };
}

/** The classes of users, as `chmod` names them, that must not write there but may; undefined: they may not. */
function writingOthers({ gid, mode, uid: owner }: Found): string | undefined {
  // A group of one user, as most systems make for each (with umask 002), or this process's own.
  const isOwnGroup = gid === 0 || gid === owner || gid === process.getgid?.();
  if ((mode & (isOwnGroup ? 0o002 : 0o022)) === 0) return undefined;
  return isOwnGroup ? 'o' : 'go';
}

/** Not root in a user namespace that does not know the host's root. */
function rootOwner(): number {
  return statSync('/').uid;
}

function isTrustedOwner(owner: number, uid: number): boolean {
  return owner === uid || owner === 0;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** The user of this process; root where the system has none. */
export function ownUid(): number {
  return process.getuid?.() ?? 0;
}
