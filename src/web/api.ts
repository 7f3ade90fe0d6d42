import type {
  Backtest,
  Configuration,
  Done,
  Earnings,
  EarningsBy,
  FreezeBody,
  History,
  Images,
  Job,
  Jobs,
  Market,
  ModeBody,
  PauseBody,
  Pinned,
  Preview,
  PreviewBody,
  Prices,
  ReclaimBody,
  Reclaimed,
  ResumeBody,
  Status,
  Switched,
  Versions,
} from './answers.ts';
import { ApiError, apiErrorOf, unanswered } from './api-error.ts';
import type { Session, Sessions } from './session.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

/** The header with the page's part of the session. */
const KEY = 'x-sharedcloud-key';

/** So long a question may take; commands wait for what they do. */
const READ_MS = 15_000;
/** A large market takes some seconds, and another backtest may go first. */
const BACKTEST_MS = 120_000;

/** Asks the agent. Every request throws ApiError; `onSignedOut` is called where there is no session any more. */
export class Api {
  readonly #sessions: Sessions;
  readonly #onSignedOut: () => void;

  constructor(sessions: Sessions, onSignedOut: () => void) {
    this.#sessions = sessions;
    this.#onSignedOut = onSignedOut;
  }

  readonly status = (): Promise<Status> => this.#get(['targets'], '/api/status');
  readonly jobs = (query: Query): Promise<Jobs> => this.#get(['jobs'], '/api/jobs', query);
  readonly job = (id: string): Promise<Job> =>
    this.#get(['job', 'history'], `/api/jobs/${encodeURIComponent(id)}`);
  readonly market = (): Promise<Market> => this.#get(['runs'], '/api/market');
  /** What asks would have earned; with none named, some around the ask now. */
  readonly backtest = (asks: string, days: number): Promise<Backtest> =>
    this.#get(['offers'], '/api/backtest', { ask: asks === '' ? undefined : asks, days }, BACKTEST_MS);
  /** Both ends are ISO 8601. */
  readonly history = (from: string, to: string): Promise<History> =>
    this.#get(['gpus'], '/api/history', { from, to });
  readonly earnings = (days: number, by: EarningsBy = 'day'): Promise<Earnings> =>
    this.#get(['days', 'rows', 'total'], '/api/earnings', { days, by });
  readonly prices = (): Promise<Prices> => this.#get(['offers', 'changes'], '/api/prices');
  readonly images = (): Promise<Images> => this.#get(['images', 'pins'], '/api/images');
  readonly configuration = (): Promise<Configuration> => this.#get(['options'], '/api/configuration');
  readonly versions = (): Promise<Versions> => this.#get(['versions'], '/api/versions');

  readonly pause = (body: PauseBody): Promise<Done> => this.#post(['targets'], '/api/pause', body);
  readonly resume = (body: ResumeBody): Promise<Done> => this.#post(['targets'], '/api/resume', body);
  readonly mode = (body: ModeBody): Promise<Done> => this.#post(['targets'], '/api/mode', body);
  readonly freezePrices = (body: FreezeBody): Promise<Switched> =>
    this.#post(['changed'], '/api/prices/freeze', body);
  readonly unfreezePrices = (body: object): Promise<Switched> =>
    this.#post(['changed'], '/api/prices/unfreeze', body);
  readonly pinImage = (image: string): Promise<Pinned> =>
    this.#post(['changed'], '/api/images/pin', { image });
  readonly unpinImage = (image: string): Promise<Pinned> =>
    this.#post(['changed'], '/api/images/unpin', { image });
  readonly preview = (body: PreviewBody): Promise<Preview> =>
    this.#post(['jobs'], '/api/reclaim/preview', body);
  readonly reclaim = (body: ReclaimBody): Promise<Reclaimed> => this.#post(['gpus'], '/api/reclaim', body);

  /** Begins a session. */
  readonly signIn = async (by: { readonly link: string } | { readonly password: string }): Promise<void> => {
    const { key, rights }: Session = await this.#post(['key', 'rights'], '/session', by);
    this.#sessions.keep({ key, rights });
  };

  /** Asks whether the session is still one, and what it allows. */
  readonly session = async (): Promise<void> => {
    const { rights }: Pick<Session, 'rights'> = await this.#get(['rights'], '/session');
    const { now } = this.#sessions;
    if (now !== undefined) this.#sessions.keep({ key: now.key, rights });
  };

  /** Ends the session, here and at the agent. */
  readonly signOut = async (): Promise<void> => {
    await this.#ask([], '/session', { method: 'DELETE' });
    this.#sessions.forget();
  };

  /** The address of a stream of server-sent events, which cannot send headers. */
  readonly streamUrl = (path: string, query: Query = {}): string =>
    `${path}${queryText({ ...query, key: this.#sessions.now?.key })}`;

  #get<Answer extends object>(
    fields: readonly (keyof Answer)[],
    path: string,
    query: Query = {},
    ms = READ_MS,
  ): Promise<Answer> {
    return this.#ask(fields, `${path}${queryText(query)}`, { signal: AbortSignal.timeout(ms) });
  }

  #post<Answer extends object>(
    fields: readonly (keyof Answer)[],
    path: string,
    body: object,
  ): Promise<Answer> {
    return this.#ask(fields, path, { method: 'POST', body: JSON.stringify(body) });
  }

  async #ask<Answer extends object>(
    fields: readonly (keyof Answer)[],
    url: string,
    request: RequestInit,
  ): Promise<Answer> {
    const key = this.#sessions.now?.key;
    const headers = {
      ...(request.body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { [KEY]: key }),
    };
    const response = await fetch(url, { ...request, headers }).catch(() => undefined);
    const body: unknown = await response?.json().catch(() => undefined);
    if (response === undefined || (response.ok && body === undefined)) throw unanswered();
    if (!response.ok) {
      const error = apiErrorOf(response.status, body);
      if (error.isSignedOut) this.#onSignedOut();
      throw error;
    }
    if (has(body, fields)) return body;
    throw new ApiError('INTERNAL', `the answer to ${url} is not one`, 'reload the page');
  }
}

/** The agent that answers has checked the rest against the schema. */
function has<Answer extends object>(body: unknown, fields: readonly (keyof Answer)[]): body is Answer {
  return typeof body === 'object' && body !== null && fields.every((field) => field in body);
}

function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
