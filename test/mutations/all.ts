import type { Mutation } from '../../scripts/mutations/mutation.ts';
import { AGENT } from './agent.ts';
import { CONTAINER } from './container.ts';
import { CONTAINER_CHECK } from './container-check.ts';
import { ENERGY } from './energy.ts';
import { FUZZING } from './fuzzing.ts';
import { GPU_SAMPLES } from './gpu-samples.ts';
import { IMAGE_RECORDS } from './image-records.ts';
import { IMAGE_STORE } from './image-store.ts';
import { IMAGES } from './images.ts';
import { LEASES } from './leases.ts';
import { LIMITS } from './limits.ts';
import { LONG_LISTS } from './long-lists.ts';
import { MARKET_HISTORY } from './market-history.ts';
import { MOVES } from './moves.ts';
import { NETWORK } from './network.ts';
import { NOTIFICATIONS } from './notifications.ts';
import { PRESENCE } from './presence.ts';
import { PRICES } from './prices.ts';
import { SCHEDULE } from './schedule.ts';
import { STRATEGIES } from './strategies.ts';

/** Every protection of this host, each to be taken out once: see `npm run mutations`. */
export const MUTATIONS: readonly Mutation[] = [
  ...CONTAINER,
  ...CONTAINER_CHECK,
  ...NETWORK,
  ...LIMITS,
  ...LONG_LISTS,
  ...AGENT,
  ...IMAGE_RECORDS,
  ...IMAGE_STORE,
  ...IMAGES,
  ...MARKET_HISTORY,
  ...LEASES,
  ...MOVES,
  ...FUZZING,
  ...GPU_SAMPLES,
  ...ENERGY,
  ...NOTIFICATIONS,
  ...PRESENCE,
  ...PRICES,
  ...SCHEDULE,
  ...STRATEGIES,
];
