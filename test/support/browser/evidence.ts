import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { View } from './view.ts';

/** Keeps what a failed test saw: a picture, the page's text, and its requests. Says on stderr where. */
export async function keepEvidence(view: View, test: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'browser-test-'));
  const { page, problems, requests } = view;
  const text = await view.text().catch(String);
  const facts = [test, page.url(), ...problems, '', text, '', ...requests].join('\n');
  await writeFile(join(directory, 'page.txt'), `${facts}\n`);
  await page.screenshot({ path: join(directory, 'page.png') }).catch(() => undefined);
  process.stderr.write(`what "${test}" saw: ${directory}/page.png, page.txt\n`);
}
