import { statSync } from 'node:fs';

/**
 * Lets root act as the owner of a directory, until it is disposed of: files that root made in the directory of an agent, that
 * agent could not open. Does nothing for others, and where the directory is absent or root's own.
 */
export function actAsOwner(directory: string): Disposable {
  const owner = statSync(directory, { throwIfNoEntry: false });
  const group = process.getegid?.();
  if (owner === undefined || owner.uid === 0 || group === undefined || process.geteuid?.() !== 0)
    return { [Symbol.dispose]: () => undefined };
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  return {
    [Symbol.dispose]: () => {
      process.seteuid?.(0);
      process.setegid?.(group);
    },
  };
}
