import type { MarketAnswer } from '../../../src/domain/ports/broker.ts';
import type { Run } from '../../../src/domain/run.ts';
import { listed } from '../domain.ts';

/** A broker whose list a test sets. */
export class ListedRuns {
  list: readonly Run[] = [];
  more: Partial<MarketAnswer> = {};

  async runs(): Promise<MarketAnswer> {
    const { items: _, ...rest } = listed([]);
    return {
      ...rest,
      unchanged: false,
      runs: this.list,
      etag: undefined,
      waited: false,
      retryAfterMs: undefined,
      ...this.more,
    };
  }

  async offers() {
    return listed([]);
  }

  async function(): Promise<undefined> {}

  async image(): Promise<undefined> {}
}
