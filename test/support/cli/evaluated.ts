import { z } from 'zod';

const surveyedSchema = z.object({
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

/** What `market --json` said. */
export type Surveyed = z.infer<typeof surveyedSchema>;

/** Reads what `market --json` wrote. */
export function readSurveyed(stdout: string): Surveyed {
  return surveyedSchema.parse(JSON.parse(stdout));
}
