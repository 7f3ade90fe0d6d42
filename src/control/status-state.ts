import type { Status, StatusTarget } from '../control-api/status-schema.ts';
import { shownHold } from '../domain/hold.ts';
import type { Phase } from '../domain/signals.ts';

/** What the state of an agent follows from. */
export type StateFacts = {
  /** Undefined: no agent runs. */
  readonly phase: Phase | undefined;
  /** Why this host can claim nothing at all. */
  readonly problem: Status['problem'];
  readonly offers: Status['offers'];
  readonly targets: readonly StatusTarget[];
};

/** The state of an agent, and the sentence for it. Pure. */
export function stateOf(facts: StateFacts): Pick<Status, 'sentence' | 'state'> {
  const state = nameOf(facts);
  return { state, sentence: `${SENTENCES[state](facts)}.` };
}

/** The strongest reason why targets take no new jobs, with all targets that have it; null: none is kept from jobs. Pure. */
export function reasonOf({ problem, targets }: Pick<StateFacts, 'problem' | 'targets'>): Status['reason'] {
  if (problem !== null) return { kind: 'safety', ...problem, until: null, targets: [], names: [] };
  const offered = targets.filter(isOffered);
  const shown = shownHold(offered.flatMap(({ hold }) => hold ?? []));
  if (shown === undefined) return null;
  const meant = offered.filter(
    ({ hold }) => hold?.kind === shown.kind && hold.why === shown.why && hold.until === shown.until,
  );
  return {
    ...shown,
    targets: meant.map(({ target }) => target),
    names: meant.map(({ name }) => name),
  };
}

function nameOf({ offers, phase, problem, targets }: StateFacts): Status['state'] {
  if (phase === undefined) return 'stopped';
  if (phase !== 'working') return phase === 'stopping' ? 'draining' : phase;
  if (problem !== null) return 'blocked';
  if (offers.length === 0) return 'starting';
  const offered = targets.filter(isOffered);
  if (offered.length > 0 && offered.every(({ hold }) => hold !== null)) return 'held';
  return runningIn(targets) > 0 ? 'working' : 'waiting';
}

/** A GPU that is not offered is kept from nothing. */
function isOffered({ slots }: StatusTarget): boolean {
  return slots > 0;
}

function runningIn(targets: readonly StatusTarget[]): number {
  return targets.reduce((sum, { jobs }) => sum + jobs.length, 0);
}

const SENTENCES: Readonly<Record<Status['state'], (facts: StateFacts) => string>> = {
  starting: () => 'Starting: nothing is offered yet',
  blocked: ({ targets }) => `This host can take no new jobs${running(targets)}`,
  held: ({ targets }) => `No new jobs are taken${running(targets)}`,
  working: (facts) => `Running ${jobs(runningIn(facts.targets))}; ${free(facts)}`,
  waiting: (facts) => `Waiting for jobs; ${free(facts)}`,
  draining: ({ targets }) => `Ending: no new jobs are taken${running(targets)}`,
  evicting: ({ targets }) => `Ending: running jobs are being stopped and released${running(targets)}`,
  stopped: ({ targets }) =>
    runningIn(targets) === 0
      ? 'No agent is running'
      : `No agent is running; ${jobs(runningIn(targets))} of the stopped agent may still run`,
};

function running(targets: readonly StatusTarget[]): string {
  const count = runningIn(targets);
  return count === 0 ? '' : `; ${jobs(count)} run${count === 1 ? 's' : ''} on`;
}

function free({ offers }: StateFacts): string {
  const onMarket = offers.filter((offer) => offer.onMarket);
  const slots = onMarket.reduce((sum, { open, used }) => sum + Math.max(open - used, 0), 0);
  if (slots > 0) return `${slots} slot${slots === 1 ? ' is' : 's are'} open`;
  const isFull = offers.every((offer) => offer.used >= offer.slots);
  return isFull ? 'all slots are busy' : 'no slot is open';
}

function jobs(count: number): string {
  return `${count} job${count === 1 ? '' : 's'}`;
}
