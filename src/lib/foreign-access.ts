import { lstatSync, statSync } from 'node:fs';

/** Who else may change a file or directory, and the command that ends it. */
export type ForeignAccess = { readonly why: string; readonly hint: string };

/**
 * Whether another user than `uid` and root owns or may write to what `stat` found at `path`; undefined: none. Pure. What
 * names programs, engines or servers must not be in somebody else's hand.
 */
export function foreignAccess(
  path: string,
  { mode, uid: owner }: { readonly mode: number; readonly uid: number },
  uid: number,
): ForeignAccess | undefined {
  if (!isTrustedOwner(owner, uid))
    return { why: `belongs to another user (uid ${owner})`, hint: `chown ${uid} ${path}` };
  if ((mode & 0o022) === 0) return undefined;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return { why: `can be changed by other users (mode ${octal})`, hint: `chmod go-w ${path}` };
}

/** The same of a path as it is now, and of the owner of a link there. Throws the system's error if it is absent. */
export function foreignAccessTo(path: string, uid: number): ForeignAccess | undefined {
  const link = lstatSync(path);
  if (link.isSymbolicLink() && !isTrustedOwner(link.uid, uid))
    return { why: `is a link of another user (uid ${link.uid})`, hint: `chown -h ${uid} ${path}` };
  return foreignAccess(path, statSync(path), uid);
}

function isTrustedOwner(owner: number, uid: number): boolean {
  return owner === uid || owner === 0;
}

/** The user of this process; root where the system has none. */
export function ownUid(): number {
  return process.getuid?.() ?? 0;
}
