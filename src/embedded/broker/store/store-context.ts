import type { CatalogueGpu } from '../../../domain/gpu.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import type { Accounts } from './accounts.ts';
import type { BrokerEvents } from './broker-event.ts';
import type { FunctionRow, ImageRow, InstanceRow } from './rows.ts';
import type { Table } from './table.ts';

/** What the parts of the store share: tables, clock, uuids and events. */
export type StoreContext = {
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly events: BrokerEvents;
  readonly accounts: Accounts;
  readonly gpus: Table<CatalogueGpu>;
  readonly images: Table<ImageRow>;
  readonly functions: Table<FunctionRow>;
  readonly instances: Table<InstanceRow>;
};
