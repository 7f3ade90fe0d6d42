import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { jsonOf } from './answer.ts';
import { badAnswer } from './fields.ts';
import type { Reply } from './transport.ts';

const pageSchema = z.object({ results: z.array(z.unknown()), next: z.string().nullish() });

/**
 * All items of a list: an array, or pages (`{count, next, previous, results}`) of which `first` is the first and `fetch`
 * gets the others. Throws BROKER_BAD_ANSWER for other shapes and endless pages, so a list is never incomplete.
 */
export async function allItems(
  first: Reply,
  fetch: (url: string) => Promise<Reply>,
): Promise<readonly unknown[]> {
  const seen = new Set<string>();
  const pages: (readonly unknown[])[] = [];
  for (let reply = first; ; ) {
    const { items, next } = pageOf(reply);
    pages.push(items);
    if (next === undefined) return pages.flat();
    if (seen.has(next) || seen.size >= LIMITS.broker.pages.max)
      throw badAnswer(`${first.call}: the list’s pages never end`);
    seen.add(next);
    reply = await fetch(next);
  }
}

function pageOf(reply: Reply): { readonly items: readonly unknown[]; readonly next: string | undefined } {
  const json = jsonOf(reply);
  if (Array.isArray(json)) return { items: json, next: undefined };
  const page = pageSchema.safeParse(json);
  if (!page.success) throw badAnswer(`${reply.call}: the broker’s answer is not a list`);
  return { items: page.data.results, next: page.data.next ?? undefined };
}
