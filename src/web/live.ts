import type { LiveEvent, LiveItem, Status } from './answers.ts';

/** What is known of the agent. */
export type LiveState = {
  /** As the agent confirmed it last; undefined: nothing came yet. */
  readonly status: Status | undefined;
  /** How long ago that was, in milliseconds; it stops while the page is not connected. */
  readonly ageMs: number;
  /** Events since the page was opened, the oldest first, and at most so many. */
  readonly events: readonly LiveEvent[];
  /** `stale`: nothing came for some seconds. */
  readonly link: 'connecting' | 'live' | 'stale' | 'signed-out';
  /** For how long nothing came, in milliseconds; 0 unless it is stale. */
  readonly silentMs: number;
  /** The agent has another version than the one that served this page. */
  readonly isOutdated: boolean;
};

/** What a stream calls: with each item as JSON and the `seq` of the last event up to it, and once it fails. */
export type StreamReader = {
  readonly onItem: (json: string, seq: string) => void;
  readonly onEnd: () => void;
};

export type LiveDeps = {
  /** Opens the stream of what happens after an event's `seq`. What it answers closes the stream; nothing is called after that. */
  readonly open: (since: string | undefined, reader: StreamReader) => () => void;
  readonly fetchStatus: () => Promise<Status>;
  readonly isSignedOut: (thrown: unknown) => boolean;
  /** A clock in milliseconds that never steps. */
  readonly now: () => number;
  /** Calls again and again until it is stopped. */
  readonly every: (ms: number, act: () => void) => () => void;
};

const MAX_EVENTS = 500;
const TICK_MS = 1_000;
/** The agent repeats an unchanged status every 15 s; if that is late, it is asked, and then the page says so. */
const QUIET_MS = 16_000;
const SILENT_MS = 20_000;
/** Without a stream the page says so sooner. */
const CUT_OFF_MS = 4_000;
/** After a stream that failed, and after several that brought nothing, when only streams may be missing. */
const REOPEN_MS = 1_000;
const REOPEN_LATER_MS = 10_000;
const FEW = 3;

const NOTHING: LiveState = {
  status: undefined,
  ageMs: 0,
  events: [],
  link: 'connecting',
  silentMs: 0,
  isOutdated: false,
};

/**
 * Keeps one connection to the agent and what it said. While the page is hidden it is closed, since a browser has few of them
 * for a host; after a failure it is opened again, from the last event on, and until then the status is asked for.
 */
export class Live {
  readonly #deps: LiveDeps;
  readonly #listeners = new Set<() => void>();
  #state = NOTHING;
  #version: string | undefined;
  #lastSeq: string | undefined;
  #closeStream: (() => void) | undefined;
  #stopTicks: (() => void) | undefined;
  /** When something came, and when the status did. */
  #heardAt = 0;
  #statusAt = 0;
  #reopenAt = 0;
  #failures = 0;
  #isAsking = false;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Calls after each change, until what it answers is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Begins to follow the agent: at the start, after a sign-in, and when the page is seen again. */
  start(): void {
    this.stop();
    // The time in which nobody looked is not silence.
    this.#heardAt = this.#deps.now();
    if (this.#state.link === 'signed-out') this.#set({ link: 'connecting' });
    this.#stopTicks = this.#deps.every(TICK_MS, () => this.#tick());
    this.#open();
  }

  /** Closes the connection, such as while nobody looks. */
  stop(): void {
    this.#stopTicks?.();
    this.#stopTicks = undefined;
    this.#close();
  }

  /** There is no session any more: nothing is asked until `start`. */
  signedOut(): void {
    this.stop();
    this.#set({ link: 'signed-out' });
  }

  /** Asks for the status at once, such as after a command. Never throws. */
  async refresh(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const status = await this.#deps.fetchStatus();
      const { link, status: known } = this.#state;
      // The stream may have been faster; after a restart the clock may have been set back.
      const isOlder = link === 'live' && known !== undefined && Date.parse(status.at) < Date.parse(known.at);
      if (!isOlder) this.#hear(status);
    } catch (thrown) {
      if (this.#deps.isSignedOut(thrown)) this.signedOut();
    } finally {
      this.#isAsking = false;
    }
  }

  #tick(): void {
    const now = this.#deps.now();
    const isCutOff = this.#closeStream === undefined;
    const silentMs = now - this.#heardAt;
    if (isCutOff && now >= this.#reopenAt) this.#open();
    if (isCutOff || silentMs >= QUIET_MS) void this.refresh();
    if (silentMs >= (isCutOff ? CUT_OFF_MS : SILENT_MS)) this.#set({ link: 'stale', silentMs });
    else if (this.#state.link === 'live') this.#set({ ageMs: now - this.#statusAt });
  }

  #open(): void {
    this.#close();
    this.#closeStream = this.#deps.open(this.#lastSeq, {
      onItem: (json, seq) => {
        this.#failures = 0;
        if (/^\d+$/.test(seq)) this.#lastSeq = seq;
        const item: unknown = JSON.parse(json);
        if (isLiveItem(item)) this.#take(item);
      },
      onEnd: () => {
        this.#close();
        this.#failures += 1;
        this.#reopenAt = this.#deps.now() + (this.#failures > FEW ? REOPEN_LATER_MS : REOPEN_MS);
        void this.refresh();
      },
    });
  }

  #close(): void {
    this.#closeStream?.();
    this.#closeStream = undefined;
  }

  #take(item: LiveItem): void {
    if (item.kind === 'status') return this.#hear(item.status);
    this.#heardAt = this.#deps.now();
    const { events } = this.#state;
    if (item.event.seq > (events.at(-1)?.seq ?? -1))
      this.#set({ events: [...events, item.event].slice(-MAX_EVENTS) });
  }

  #hear(status: Status): void {
    this.#heardAt = this.#deps.now();
    this.#statusAt = this.#heardAt;
    const version = status.agent?.version;
    this.#version ??= version;
    const isOutdated = this.#version !== undefined && version !== undefined && version !== this.#version;
    this.#set({ status, ageMs: 0, link: 'live', silentMs: 0, isOutdated });
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The agent that sends it has checked the rest against the schema. */
function isLiveItem(item: unknown): item is LiveItem {
  return typeof item === 'object' && item !== null && 'kind' in item;
}
