import { z } from 'zod';

const marketSchema = z.object({
  offers: z.array(z.object({ name: z.string(), slots: z.number(), askPrice: z.number() })),
  problems: z.array(z.object({ what: z.string(), why: z.string(), hint: z.string() })),
  runs: z.array(
    z.object({
      run: z.string(),
      image: z.string().nullable(),
      ask: z.number().nullable(),
      taken: z.number(),
      reason: z.string().nullable(),
      words: z.string(),
    }),
  ),
  totals: z.object({ runs: z.number(), jobs: z.number(), taken: z.number() }),
  notes: z.array(z.string()),
});

/** The output of `market --json`. */
export type MarketJson = z.infer<typeof marketSchema>;

/** Parses the output of `market --json`. */
export function readMarketJson(stdout: string): MarketJson {
  return marketSchema.parse(JSON.parse(stdout));
}
