import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const OWNERS = 'src/host/process-owners.ts';
const OWNERS_TEST = 'test/unit/host/process-owners.test.ts';

const rows: readonly MutationRow[] = [
  [
    'a process in the cgroup of our container is not foreign',
    OWNERS,
    "if (containers.some((id) => text.includes(id))) return 'ours';",
    '',
    OWNERS_TEST,
    '%s says whose it is',
  ],
  [
    'a process is not foreign while it may be in a container of ours that was not found',
    OWNERS,
    'traced.isWhole && this.#files.exists(pid)',
    'this.#files.exists(pid)',
    OWNERS_TEST,
    'a process is not foreign while one of our containers is not found: it may be in that',
  ],
  [
    'a process is not foreign before the engine has listed our containers',
    'src/agent/presence/foreign-gpu-use.ts',
    'if (containers.areKnown) return found;',
    'return found;',
    'test/unit/agent/presence/foreign-gpu-use.test.ts',
    'is not foreign before the engine has listed it, %s',
  ],
  [
    'a GPU whose processes broke off is not idle',
    'src/gpu/pmon.ts',
    '.filter((gpu) => gpu !== last)',
    '',
    'test/unit/gpu/pmon.test.ts',
    'that breaks off says nothing of the GPU whose rows came last',
  ],
  [
    'time in which a source does not answer is none in which nobody was seen',
    'src/domain/presence.ts',
    'unknown === undefined ? before.quietMs + stepMs : before.quietMs',
    'before.quietMs + stepMs',
    'test/unit/domain/presence.test.ts',
    'here, while no source answers, for ever',
  ],
  [
    'a GPU without a display does not yield by itself',
    'src/config/gpu-settings.ts',
    'const hasDisplay = displayActive === true;',
    'const hasDisplay = true;',
    'test/unit/agent/presence/owner-presence.test.ts',
    'a graphics-only process keeps the GPU with the display off the market, and no other',
  ],
  [
    'a GPU that its owner has put on the market is not reclaimed',
    'src/agent/presence/owner-presence.ts',
    '!isHeld(target) || ',
    '',
    'test/unit/agent/presence/owner-presence.test.ts',
    'ends no job of a GPU that its owner has put on the market all the same',
  ],
  [
    'a reclaim stops no job that its owner has not agreed to',
    'src/agent/owner/owner-commands.ts',
    '!isAmong(confirmed, job)',
    '!confirmed',
    'test/contract/agent/owner-control.test.ts',
    'releases what runs, unpaid, and takes nothing more',
  ],
];

/** What keeps the owner's GPU for its owner, and jobs from being taken for somebody else. */
export const PRESENCE: readonly Mutation[] = mutationsOf(rows);
