import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDocuments, ROOT } from '../../../scripts/docs/documents.ts';

/** A Markdown file of the project. */
export type Document = {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
};

/** All Markdown files of the project. */
export async function readDocuments(): Promise<readonly Document[]> {
  return (await findDocuments()).map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

/** The text without its comments, where marks for programs stand. */
export function withoutComments(text: string): string {
  return text.replace(/<!--[\s\S]*?-->/g, '');
}

/** The contents of the fenced blocks of one language. */
export function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body ?? '');
}

/** Where the links of a document lead, as they are written. */
export function linksOf(text: string): readonly string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** The anchors that the headings of a document have, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of prose(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
    const slug = plain.trim().replaceAll(' ', '-');
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number += 1) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The text without fenced blocks: nothing in them is a link or a heading. */
function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}
