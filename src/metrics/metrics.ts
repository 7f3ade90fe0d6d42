import type { ImageKeeping } from '../agent/images/image-keeping.ts';
import type { Overview } from '../agent/owner/overview.ts';
import { agentValues } from './agent-metrics.ts';
import type { BrokerMetrics } from './broker-metrics.ts';
import type { EventMetrics } from './event-metrics.ts';
import { expose, type Format } from './exposition.ts';
import { floorValues, type OfferFloor } from './floor-metrics.ts';
import { imageValues } from './image-metrics.ts';
import { journalValues, type TotalsJournal } from './journal-metrics.ts';
import { type MetricValues, single, valuesOf } from './metric.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { METRICS } from './table.ts';

export type MetricsDeps = {
  readonly agent: {
    readonly overview: Pick<Overview, 'glance'>;
    readonly images: Pick<ImageKeeping, 'totals'>;
    readonly pricer: { readonly views: readonly OfferFloor[] };
  };
  readonly journal: TotalsJournal;
  readonly events: Pick<EventMetrics, 'values'>;
  readonly broker: Pick<BrokerMetrics, 'values'>;
  readonly clock: { now(): number };
  readonly version: string;
};

const ORDER: ReadonlyMap<string, number> = new Map(
  Object.values(METRICS).map(({ name }, place) => [name, place]),
);

/** All metrics of a running agent. */
export class Metrics {
  readonly #deps: MetricsDeps;
  readonly #process = new ProcessMetrics();

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
  }

  /** The metrics now, in the order of the table. A journal that cannot be read leaves out what it knows. */
  text(format: Format): string {
    const { agent, broker, events, version } = this.#deps;
    const now = agent.overview.glance();
    const values = [
      valuesOf(METRICS.info, [[{ version, node: process.versions.node }, 1]]),
      ...this.#ofJournal(now),
      ...agentValues(now),
      ...imageValues(agent.images.totals()),
      ...events.values,
      ...broker.values,
      ...this.#process.values,
    ];
    return expose(values.toSorted(byTable), format);
  }

  #ofJournal({ offers, targets }: ReturnType<Overview['glance']>): readonly MetricValues[] {
    const { agent, clock, journal } = this.#deps;
    // Jobs count for their slice, its GPU for itself.
    const gpus = new Set(targets.flatMap(({ gpu, target }) => [target, gpu?.uuid ?? target]));
    const keys = offers.map(({ offer }) => offer.key);
    try {
      const values = journalValues(journal, { gpus, now: clock.now(), offers: keys });
      // Which part of the time is paid stands in the journal, too.
      return [single(METRICS.journalUp, 1), floorValues(agent.pricer.views), ...values];
    } catch {
      // The admission checks log why; a scrape has to answer.
      return [single(METRICS.journalUp, 0)];
    }
  }
}

function byTable(a: MetricValues, b: MetricValues): number {
  return (ORDER.get(a.metric.name) ?? 0) - (ORDER.get(b.metric.name) ?? 0);
}
