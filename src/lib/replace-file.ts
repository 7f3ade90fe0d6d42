import { randomBytes } from 'node:crypto';
import { constants, realpathSync } from 'node:fs';
import { access, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ForeignAccess, foreignOnTheWay } from './foreign-access.ts';

/** How a file is written. `mode` and `group` are those of a new file, and where given also of one that is there. */
export type FileTerms = { readonly mode: number; readonly gid?: number };

/**
 * Writes a file so that a reader sees the old text or the new one, on disk before this settles. A link is followed, and the
 * owner of an existing file stays; missing directories are created with mode 0700. Throws the system's error, and leaves
 * nothing behind then.
 */
export async function replaceFile(path: string, text: string, { gid, mode }: FileTerms): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = targetOf(path);
  const before = await stat(target).catch(() => undefined);
  const draft = join(dirname(target), `.${randomBytes(6).toString('hex')}.draft`);
  try {
    await writeDraft(draft, text, mode, ownerOf(before, gid));
    await rename(draft, target);
  } catch (cause) {
    await unlink(draft).catch(() => undefined);
    throw cause;
  }
  await syncDirectory(dirname(target));
}

/** Why a file cannot be replaced, and where it is known what to do about it. */
export type Unwritable = { readonly why: string; readonly hint: string | undefined };

/**
 * Whether this process could not replace or create the file, or others than `uid` and root could put another one in its place.
 * Undefined: it can.
 */
export async function whyUnwritable(path: string, uid: number): Promise<Unwritable | undefined> {
  const foreign: ForeignAccess | undefined = foreignOnTheWay(path, uid);
  if (foreign !== undefined) return foreign;
  // A directory that is missing is created: the nearest one that is there decides.
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    try {
      await access(directory, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (cause) {
      const { code, message } =
        cause instanceof Error && 'code' in cause ? cause : { code: '', message: String(cause) };
      const isMissing = code === 'ENOENT' && directory !== dirname(directory);
      if (!isMissing) return { why: `cannot be written: ${message}`, hint: undefined };
    }
  }
}

type Owner = { readonly uid: number; readonly gid: number };

function ownerOf(before: Owner | undefined, gid: number | undefined): Owner | undefined {
  if (before === undefined) return gid === undefined ? undefined : { uid: process.getuid?.() ?? 0, gid };
  return { uid: before.uid, gid: gid ?? before.gid };
}

async function writeDraft(
  draft: string,
  text: string,
  mode: number,
  owner: Owner | undefined,
): Promise<void> {
  // Only this user reads it until it has its mode.
  await using file = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  await file.writeFile(text);
  const own = await file.stat();
  if (owner !== undefined && (own.uid !== owner.uid || own.gid !== owner.gid))
    await file.chown(owner.uid, owner.gid);
  await file.chmod(mode);
  await file.sync();
}

/** Where a link leads to; the path itself where nothing is there. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** So that the new name is still there after a power failure. */
async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
}
