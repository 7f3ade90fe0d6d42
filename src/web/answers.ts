import type { z } from 'zod';
import type { IMAGE_VIEWS } from '../control-api/image-views.ts';
import type { PRICE_REQUESTS, PRICE_VIEWS } from '../control-api/price-views.ts';
import type { ANSWERS, EVENT, REQUESTS } from '../control-api/protocol.ts';
import type { VIEWS } from '../control-api/views.ts';

/* What the API answers, as it comes over HTTP: instants are ISO 8601. */

export type Status = z.input<typeof ANSWERS.status>;
export type Target = Status['targets'][number];
export type RunningJob = Target['jobs'][number];
export type LiveEvent = z.input<typeof EVENT>;
export type LiveItem = z.input<typeof VIEWS.live>;
export type Output = z.input<typeof ANSWERS.output>;
export type Jobs = z.input<typeof VIEWS.jobs>;
export type JobRow = Jobs['jobs'][number];
export type Job = z.input<typeof VIEWS.job>;
export type Market = z.input<typeof VIEWS.market>;
export type Backtest = z.input<typeof VIEWS.backtest>;
export type History = z.input<typeof VIEWS.history>;
export type Earnings = z.input<typeof VIEWS.earnings>;
export type EarningsBy = Earnings['by'];
export type Sums = Earnings['total'];
export type Prices = z.input<typeof PRICE_VIEWS.prices>;
export type FreezeBody = z.input<typeof PRICE_REQUESTS.freeze>;
export type Switched = z.input<typeof PRICE_VIEWS.switched>;
export type Images = z.input<typeof IMAGE_VIEWS.images>;
export type Pinned = z.input<typeof IMAGE_VIEWS.pinned>;
export type Configuration = z.input<typeof VIEWS.configuration>;
export type Versions = z.input<typeof VIEWS.versions>;
export type Done = z.input<typeof ANSWERS.command>;
export type Reclaimed = z.input<typeof ANSWERS.reclaim>;
export type Preview = z.input<typeof ANSWERS.preview>;

export type PauseBody = z.input<typeof REQUESTS.pause>;
export type ReclaimBody = z.input<typeof REQUESTS.reclaim>;
export type ResumeBody = z.input<typeof REQUESTS.resume>;
export type ModeBody = z.input<typeof REQUESTS.mode>;
export type PreviewBody = z.input<typeof REQUESTS.preview>;
