import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../lib/sleep.ts';
import { listenForInterruption } from '../interruption.ts';

/** How long a browser has to read the file, also one that is not running yet. */
const OPENED_MS = 15_000;

/** Hands the link over without its token in the arguments of a process, which every user of this host can read. */
const OPEN = 'unset SHAREDCLOUD_TOKEN; exec xdg-open "$0"';

/**
 * Opens a link in the browser of this desktop by a file in the user's home that only that user may read. It is not hidden
 * and not in /tmp, since browsers in a sandbox see neither. Does nothing where it cannot be written or opened.
 */
export async function openInBrowser(url: string, home: string): Promise<void> {
  const file = join(home, `sharedcloud-agent-page-${randomBytes(4).toString('hex')}.html`);
  const interruption = listenForInterruption();
  try {
    writeFileSync(file, html(url), { mode: 0o600, flag: 'wx' });
    const opener = spawn('/bin/sh', ['-c', OPEN, file], { detached: true, stdio: 'ignore' });
    opener.on('error', () => undefined);
    opener.unref();
    await sleep(OPENED_MS, interruption.first);
  } catch {
    // The link was printed as well.
  } finally {
    rmSync(file, { force: true });
    interruption.ignore();
  }
}

function html(url: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${url}"><a href="${url}">sharedcloud-agent</a>
`;
}
