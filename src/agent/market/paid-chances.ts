import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import { type FunctionOutcomes, paidChance } from '../../domain/paid-chance.ts';
import type { OutcomeStore } from '../../domain/ports/outcome-store.ts';
import type { Run } from '../../domain/run.ts';
import { LIMITS } from '../../limits.ts';

/** Knows how likely a job of a run is paid, by how the latest jobs of its function ended here. */
export class PaidChances {
  readonly #store: OutcomeStore;
  /** By the function's uuid, the latest last; read with the first question. */
  #outcomes: Map<string, FunctionOutcomes> | undefined;

  constructor(store: OutcomeStore) {
    this.#store = store;
  }

  /** From 0 to 1. Throws JOURNAL_UNUSABLE the first time. */
  readonly of = ({ functionUuid }: Pick<Run, 'functionUuid'>): number =>
    paidChance(this.#known.get(functionUuid));

  /** The broker has accepted the report of a job. Throws JOURNAL_UNUSABLE. */
  reported({ state, uuid }: JobRecord): void {
    if (state.name !== 'reported' || this.#outcomes === undefined) return;
    const name = this.#store.functionOf(uuid);
    if (name !== undefined) add(this.#outcomes, name, state.status !== JOB_STATUS.FAILED);
  }

  get #known(): Map<string, FunctionOutcomes> {
    if (this.#outcomes !== undefined) return this.#outcomes;
    const read = new Map<string, FunctionOutcomes>();
    for (const outcome of this.#store.latest()) add(read, outcome.function, outcome.isPaid);
    this.#outcomes = read;
    return read;
  }
}

function add(outcomes: Map<string, FunctionOutcomes>, name: string, isPaid: boolean): void {
  const { ended, paid } = outcomes.get(name) ?? { paid: 0, ended: 0 };
  // The older jobs count less and less.
  const keep = ended >= LIMITS.journal.durations.max ? 0.5 : 1;
  outcomes.delete(name);
  outcomes.set(name, { paid: paid * keep + (isPaid ? 1 : 0), ended: ended * keep + 1 });
  const [oldest] = outcomes.keys();
  if (outcomes.size > LIMITS.journal.outcomes.max && oldest !== undefined) outcomes.delete(oldest);
}
