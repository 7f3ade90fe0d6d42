import type { Observer } from '../agent/events/events.ts';
import type { Answering } from '../control-api/answer.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { HostRules } from './guard.ts';
import type { ServedMetrics } from './metrics.ts';
import type { Sessions } from './sessions.ts';

/** What the page is made of. */
export type PageParts = Answering & {
  readonly sessions: Sessions;
  /** By which names the page may be asked for, now. */
  readonly hosts: () => HostRules;
  readonly clock: Pick<HostClock, 'monotonic' | 'now'>;
  readonly observe: Observer;
  readonly metrics: ServedMetrics;
};
