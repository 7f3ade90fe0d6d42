import { PRESENCE_ACTIONS } from '../domain/presence.ts';
import { cpuCores } from './number-types.ts';
import type { Option } from './option.ts';
import { size } from './size.ts';
import { choice } from './text-types.ts';

/** The options of what the owner keeps of this host; a part of the table of all options. */
export const OWNER_OPTIONS = {
  whenActive: {
    name: 'when-active',
    env: 'SHAREDCLOUD_WHEN_ACTIVE',
    type: choice(...PRESENCE_ACTIONS),
    default: 'pause',
    help: 'what becomes of a GPU with a display while its owner uses it or is active in a session; `reclaim` ends its jobs, `ignore` keeps it on the market',
    group: 'Owner',
  },
  whenGaming: {
    name: 'when-gaming',
    env: 'SHAREDCLOUD_WHEN_GAMING',
    type: choice(...PRESENCE_ACTIONS),
    default: 'reclaim',
    help: 'the same while a game runs under GameMode, which `desk` reports',
    group: 'Owner',
  },
  reserveMemory: {
    name: 'reserve-memory',
    env: 'SHAREDCLOUD_RESERVE_MEMORY',
    type: size('0 B', '100 TB'),
    unset: '2 GiB, or half of the host if that is less',
    help: 'memory of this host that jobs leave to its owner; with less available no job is claimed',
    group: 'Owner',
  },
  reserveCpus: {
    name: 'reserve-cpus',
    env: 'SHAREDCLOUD_RESERVE_CPUS',
    type: cpuCores,
    unset: 'none',
    help: 'CPU cores of this host that jobs leave to its owner',
    group: 'Owner',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
