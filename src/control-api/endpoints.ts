import type { z } from 'zod';
import { IMAGE_REQUESTS, IMAGE_VIEWS } from './image-views.ts';
import { PRICE_TERMS_VIEW } from './price-terms-view.ts';
import { PRICE_REQUESTS, PRICE_VIEWS } from './price-views.ts';
import { ANSWERS, NOTHING, REQUESTS } from './protocol.ts';
import type { Right } from './sockets.ts';
import { VIEWS } from './views.ts';

/** One thing that a running agent can be asked for. */
export type Endpoint<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> = {
  readonly method: 'GET' | 'POST';
  /** With a `/` at its end for all below. */
  readonly path: string;
  readonly right: Right;
  readonly does: string;
  /** The body of a POST. */
  readonly request: Request;
  /** The answer without `schema` and `version`; of a stream one object, of which there is one a line. */
  readonly answer: Answer;
  readonly stream?: true;
};

/** Everything that a running agent can be asked for; `docs/control-api.md` is generated from here. */
export const ENDPOINTS = {
  health: {
    method: 'GET',
    path: '/api/health',
    right: 'read',
    does: 'what the agent does, and why it can claim no job',
    request: NOTHING,
    answer: ANSWERS.health,
  },
  status: {
    method: 'GET',
    path: '/api/status',
    right: 'read',
    does: 'what an owner sees: the state and the one reason for it, offers, GPUs with their jobs and figures, today’s earnings, the worst problem; while it is asked for, GPUs are sampled every second',
    request: NOTHING,
    answer: ANSWERS.status,
  },
  events: {
    method: 'GET',
    path: '/api/events',
    right: 'read',
    does: 'the agent’s latest events: at most `limit`, those after `since` (a `seq`), with `follow=1` also those to come; `events-left-out` stands for what a slow reader missed',
    request: NOTHING,
    answer: ANSWERS.event,
    stream: true,
  },
  output: {
    method: 'GET',
    path: '/api/output/',
    right: 'read',
    does: 'what the job whose id, or its beginning, follows in the path has printed, with `follow=1` until it ends; the texts are the buyer’s and may contain control characters',
    request: NOTHING,
    answer: ANSWERS.output,
    stream: true,
  },
  live: {
    method: 'GET',
    path: '/api/live',
    right: 'read',
    does: 'the status now and after each change, at most once a second and at least every 15 seconds, and between them the events after `since` (a `seq`), by default those to come; for a view that shows both',
    request: NOTHING,
    answer: VIEWS.live,
    stream: true,
  },
  jobs: {
    method: 'GET',
    path: '/api/jobs',
    right: 'read',
    does: 'jobs, newest first: at most `limit` (50 by default, up to 500), those before `before` (the `next` of the last answer), only in a `state` (may be repeated), with an `outcome`, on a `gpu` (a uuid, or `cpu`), only with `text` in the name of function or image or at the beginning of an id; where very many had to be looked at, an answer may have fewer jobs and still a `next`',
    request: NOTHING,
    answer: VIEWS.jobs,
  },
  job: {
    method: 'GET',
    path: '/api/jobs/',
    right: 'read',
    does: 'everything about the job whose id, or its beginning, follows in the path, without its output',
    request: NOTHING,
    answer: VIEWS.job,
  },
  market: {
    method: 'GET',
    path: '/api/market',
    right: 'read',
    does: 'the open runs that the agent saw last, the best 500 bids first, with what each offer makes of them now; the answers of two seconds are shared',
    request: NOTHING,
    answer: VIEWS.market,
  },
  backtest: {
    method: 'GET',
    path: '/api/backtest',
    right: 'read',
    does: 'what each `ask` (US dollars per job and minute; may be repeated, up to 20; by default some around the ask now) would have earned in the last `days` days (7 by default, up to 366), by a replay of the market history; offers of which too little is known are refused (`BACKTEST_TOO_LITTLE`, `BACKTEST_UNCALIBRATED`); one is computed at a time',
    request: NOTHING,
    answer: VIEWS.backtest,
  },
  history: {
    method: 'GET',
    path: '/api/history',
    right: 'read',
    does: 'the use of the GPUs from `from` to `to` (ISO 8601; by default the last hour), by minutes where that is no more than the last two days, else by hours; neighbours are joined so that a GPU has at most 1,500 points; where nothing was measured there is none',
    request: NOTHING,
    answer: VIEWS.history,
  },
  earnings: {
    method: 'GET',
    path: '/api/earnings',
    right: 'read',
    does: 'what jobs have earned, the energy that they took and what it cost, on the last `days` days (30 by default, up to 730) of this host’s time zone, or on those from `from` to `until` (2026-11-27), `by` day, gpu, function or image (day by default)',
    request: NOTHING,
    answer: VIEWS.earnings,
  },
  prices: {
    method: 'GET',
    path: '/api/prices',
    right: 'read',
    does: 'what each offer asks, by which strategy, since when and why, when it may change, and the latest `limit` changes (50 by default)',
    request: NOTHING,
    answer: PRICE_VIEWS.prices,
  },
  priceTerms: {
    method: 'GET',
    path: '/api/prices/terms',
    right: 'read',
    does: 'what a job costs on each GPU: watts, prices of electricity and where each comes from, wear, fee and paid share, the floor, and what the ask leaves',
    request: NOTHING,
    answer: PRICE_TERMS_VIEW,
  },
  priceFreeze: {
    method: 'POST',
    path: '/api/prices/freeze',
    right: 'control',
    does: 'stops all changes of asks, those by floors too, until they are unfrozen; a new `ask-price` still counts',
    request: PRICE_REQUESTS.freeze,
    answer: PRICE_VIEWS.switched,
  },
  priceUnfreeze: {
    method: 'POST',
    path: '/api/prices/unfreeze',
    right: 'control',
    does: 'lets asks change again',
    request: PRICE_REQUESTS.unfreeze,
    answer: PRICE_VIEWS.switched,
  },
  images: {
    method: 'GET',
    path: '/api/images',
    right: 'read',
    does: 'the images of the engine: sizes, what each is worth, who brought it, when a job last used it, why it stays; the disk and its marks; pins',
    request: NOTHING,
    answer: IMAGE_VIEWS.images,
  },
  imagePin: {
    method: 'POST',
    path: '/api/images/pin',
    right: 'control',
    does: 'keeps an image from eviction, whether or not it is here yet, also after restarts',
    request: IMAGE_REQUESTS.pin,
    answer: IMAGE_VIEWS.pinned,
  },
  imageUnpin: {
    method: 'POST',
    path: '/api/images/unpin',
    right: 'control',
    does: 'lets an image be evicted again',
    request: IMAGE_REQUESTS.unpin,
    answer: IMAGE_VIEWS.pinned,
  },
  imageCollect: {
    method: 'POST',
    path: '/api/images/gc',
    right: 'control',
    does: 'removes the agent’s own images of the lowest value down to the low mark of the disk; with `dryRun` only says which',
    request: IMAGE_REQUESTS.collect,
    answer: IMAGE_VIEWS.collected,
  },
  configuration: {
    method: 'GET',
    path: '/api/configuration',
    right: 'read',
    does: 'every option and table of the file with the value that is in force and where it comes from; secrets are left out',
    request: NOTHING,
    answer: VIEWS.configuration,
  },
  versions: {
    method: 'GET',
    path: '/api/versions',
    right: 'read',
    does: 'the versions of what jobs rely on, this host, and known vulnerabilities',
    request: NOTHING,
    answer: VIEWS.versions,
  },
  pause: {
    method: 'POST',
    path: '/api/pause',
    right: 'control',
    does: 'takes no new jobs; those that run go on to their end',
    request: REQUESTS.pause,
    answer: ANSWERS.command,
  },
  resume: {
    method: 'POST',
    path: '/api/resume',
    right: 'control',
    does: 'ends pauses: all, or those with a tag',
    request: REQUESTS.resume,
    answer: ANSWERS.command,
  },
  mode: {
    method: 'POST',
    path: '/api/mode',
    right: 'control',
    does: 'leaves it to the rules (`auto`), overrides them (`on`) or takes no jobs (`off`)',
    request: REQUESTS.mode,
    answer: ANSWERS.command,
  },
  reclaim: {
    method: 'POST',
    path: '/api/reclaim',
    right: 'control',
    does: 'pauses, stops running jobs, which are released unpaid, and answers once the GPUs’ memory is free, or with who uses it after 10 s; `confirmed` has the ids of the jobs that may be stopped, as the preview names them, or is true for all; where another one runs, NOT_CONFIRMED is answered (409) and nothing is changed',
    request: REQUESTS.reclaim,
    answer: ANSWERS.reclaim,
  },
  preview: {
    method: 'POST',
    path: '/api/reclaim/preview',
    right: 'read',
    does: 'which jobs a reclaim would stop now, and what that costs; changes nothing',
    request: REQUESTS.preview,
    answer: ANSWERS.preview,
  },
  desk: {
    method: 'POST',
    path: '/api/presence',
    right: 'control',
    does: 'says how many games run in the caller’s session; holds for `leaseMs` milliseconds',
    request: REQUESTS.desk,
    answer: ANSWERS.desk,
  },
  desks: {
    method: 'GET',
    path: '/api/presence',
    right: 'read',
    does: 'the reports of games that hold now',
    request: NOTHING,
    answer: ANSWERS.desks,
  },
  page: {
    method: 'GET',
    path: '/api/page',
    right: 'read',
    does: 'where the status page is served, or why it is not; on the sockets only',
    request: NOTHING,
    answer: ANSWERS.page,
  },
  pageLink: {
    method: 'POST',
    path: '/api/page/link',
    right: 'read',
    does: 'makes a link to the page that works once, for two minutes, with the caller’s rights or, with `readOnly`, for looking only; on the sockets only',
    request: REQUESTS.pageLink,
    answer: ANSWERS.pageLink,
  },
  pageSignOut: {
    method: 'POST',
    path: '/api/page/sign-out',
    right: 'control',
    does: 'signs out everybody who has the page open, and ends every link to it; on the sockets only',
    request: REQUESTS.pageSignOut,
    answer: ANSWERS.pageSignOut,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
