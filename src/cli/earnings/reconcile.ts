import PQueue from 'p-queue';
import type { Account, BrokerBooks } from '../../broker/books.ts';
import {
  type BookedJob,
  bookedOf,
  type Difference,
  differenceOf,
  earnedOf,
  type OwnJob,
} from '../../domain/books.ts';
import type { BookedJobs } from '../../journal/booked-jobs.ts';
import { LIMITS } from '../../limits.ts';

/** A job that the list lacks is asked for by itself: so many at the same time. */
const LOOKUPS = 4;
/** So many at most; of the others it counts that the list lacks them. */
const MAX_LOOKUPS = 1_000;
/** A running agent may book a job between two reads of the ledger’s total. */
const MAX_TRIES = 5;
/** The broker's times are whole seconds, and this host's clock is not the broker's. */
const CLOCKS_MS = 60_000;

/** What is compared. */
export type Question = {
  /** The broker's URL as the journal has it. */
  readonly broker: string;
  /** Jobs that ended before are not looked for here, in milliseconds: the journal may have deleted them. */
  readonly fromMs: number;
};

/** Sums in micro-dollars. */
export type Reconciliation = {
  /** How many jobs were compared, with those that differ. */
  readonly jobs: number;
  /** What the ledger has of them, and what the broker has booked for them. */
  readonly hereMicroDollars: number;
  readonly brokerMicroDollars: number;
  /** The largest first, pending ones last. `brokerMicroDollars` less `hereMicroDollars` is the sum of all. */
  readonly differences: readonly Difference[];
  /** How many more there are. */
  readonly moreDifferences: number;
  /** Jobs in the broker's list that could not be read. */
  readonly unreadable: number;
  /** Whether nothing differs but what is pending, and all could be read. */
  readonly agrees: boolean;
  readonly account: Account & {
    /** What the ledger has of this broker, of all times. */
    readonly ledger: number;
    /** The sum of the differences. */
    readonly differences: number;
    /**
     * The balance, and what was spent where the broker says it, less ledger and differences: deposits, payouts, purchases,
     * and what other hosts of the account have earned.
     */
    readonly unexplained: number;
  };
};

/** Compares the ledger with the broker's books, job by job and in sum. Changes nothing. Throws BROKER_*, JOURNAL_UNUSABLE. */
export async function reconcile(
  journal: Pick<BookedJobs, keyof BookedJobs>,
  books: Pick<BrokerBooks, keyof BrokerBooks>,
  question: Question,
  signal: AbortSignal,
): Promise<Reconciliation> {
  journal.check();
  const pairs = new Pairs();
  const onJob = (theirs: BookedJob): void => {
    const endedAt = theirs.endedAt ?? Number.POSITIVE_INFINITY;
    if (endedAt < question.fromMs) return;
    const own = journal.get(theirs.uuid);
    if (own !== undefined || endedAt >= question.fromMs + CLOCKS_MS) pairs.add(own, theirs);
  };
  const invalid = await books.endedJobs(journal.instancesAt(question.broker), onJob, signal);
  const lookups = new PQueue({ concurrency: LOOKUPS });
  let asked = 0;
  for (const own of journal.since(question.fromMs, question.broker)) {
    if (pairs.has(own.uuid)) continue;
    asked += 1;
    if (asked > MAX_LOOKUPS) pairs.add(own, undefined);
    else void lookups.add(async () => pairs.add(own, await books.job(own.uuid, signal)));
  }
  await lookups.onIdle();
  const compared = pairs.end();
  const unreadable = invalid.items.length + invalid.more;
  const agrees = compared.agrees && unreadable === 0;
  return {
    ...compared.sums,
    unreadable,
    agrees,
    account: await sumUp(journal, question.broker, books, compared.difference, signal),
  };
}

async function sumUp(
  journal: Pick<BookedJobs, 'total'>,
  broker: string,
  books: Pick<BrokerBooks, 'account'>,
  differences: number,
  signal: AbortSignal,
): Promise<Reconciliation['account']> {
  for (let tries = 1; ; tries += 1) {
    const ledger = journal.total(broker);
    const account = await books.account(signal);
    if (journal.total(broker) !== ledger && tries < MAX_TRIES) continue;
    const unexplained = account.balance + (account.spent ?? 0) - ledger - differences;
    return { ...account, ledger, differences, unexplained };
  }
}

/** The jobs of both sides, each once. */
class Pairs {
  readonly #seen = new Set<string>();
  readonly #differences: Difference[] = [];
  #here = 0;
  #broker = 0;

  has(uuid: string): boolean {
    return this.#seen.has(uuid);
  }

  add(own: OwnJob | undefined, theirs: BookedJob | undefined): void {
    const uuid = own?.uuid ?? theirs?.uuid ?? '';
    // Shifting pages may list a job twice.
    if (this.#seen.has(uuid)) return;
    this.#seen.add(uuid);
    const found = differenceOf(own, theirs);
    const earned = own === undefined ? 0 : earnedOf(own);
    this.#here += earned;
    this.#broker +=
      found === undefined ? ((theirs && bookedOf(theirs)) ?? earned) : earned + found.microDollars;
    if (found !== undefined) this.#differences.push(found);
  }

  end() {
    const weight = ({ kind, microDollars }: Difference): number =>
      kind === 'pending' ? -1 : Math.abs(microDollars);
    const sorted = this.#differences.toSorted((a, b) => weight(b) - weight(a));
    const shown = sorted.slice(0, LIMITS.broker.differences.max);
    return {
      agrees: sorted.every(({ kind }) => kind === 'pending'),
      difference: sorted.reduce((sum, { microDollars }) => sum + microDollars, 0),
      sums: {
        jobs: this.#seen.size,
        hereMicroDollars: this.#here,
        brokerMicroDollars: this.#broker,
        differences: shown,
        moreDifferences: sorted.length - shown.length,
      },
    };
  }
}
