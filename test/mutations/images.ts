import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const EVICTOR = 'src/agent/images/image-evictor.ts';
const INSPECTOR = 'src/agent/images/image-inspector.ts';
const TEST = 'test/unit/agent/images/image-evictor.test.ts';

const rows: readonly MutationRow[] = [
  [
    'an image that a claim has chosen is not removed before its job has a container',
    'src/agent/images/image-puller.ts',
    'return this.#deps.uses.hold(namesOf(image));',
    'return this.#deps.uses.hold([]);',
    TEST,
    'the image stays, also where its eviction was decided on before',
  ],
  [
    'nothing decides to use an image that is being removed',
    EVICTOR,
    'images.forgetNames(names);',
    'images.forgetNames([]);',
    TEST,
    'whatever happens meanwhile, no image is both used and removed',
  ],
  [
    'a pull waits for the removal of its image',
    'src/agent/images/image-puller.ts',
    'await uses.removed(names, signal);',
    'await uses.removed([], signal);',
    TEST,
    'a pull waits for the end of a removal, and brings the image again',
  ],
  [
    'the images of jobs that an earlier agent began stay',
    INSPECTOR,
    'this.#deps.uses.isHeld(all) || all.some((name) => ofJobs.has(name));',
    'this.#deps.uses.isHeld(all) || ofJobs.size < 0;',
    TEST,
    'the image of a job that an earlier agent began stays',
  ],
  [
    'an image that its owner has named stays',
    INSPECTOR,
    'pulled.has(name) || digests.includes(name)',
    'name.length > 0',
    TEST,
    'an image that has a name of the owner’s',
  ],
  [
    'what its owner pulls after the agent’s image was removed is the owner’s',
    INSPECTOR,
    'if (pull.removedAt !== undefined) continue;',
    '',
    TEST,
    'leaves what somebody removed and pulled again',
  ],
  [
    'what open runs want is not evicted, only to be pulled again',
    EVICTOR,
    'isNeeded: held.isNeeded || stored.names.some((name) => wanted.has(name)) };',
    'isNeeded: held.isNeeded || wanted.size < 0 };',
    TEST,
    'leaves what open runs want',
  ],
  [
    'a disk full of its owner’s files does not make the agent pull and evict for ever',
    EVICTOR,
    'return frees(plan.evicted) + freeBytes >= minFreeBytes ? plan.evicted : evicted;',
    'return plan.evicted;',
    TEST,
    'of what open runs want happens only where claims go on after it',
  ],
  [
    'images on another disk do not go one after the other in vain',
    EVICTOR,
    ' || this.#isVain()) return;',
    ') return;',
    TEST,
    'that frees nothing of the disk is not repeated for a while',
  ],
  [
    'what is pulled ahead gives way to what open runs want',
    'src/agent/images/image-puller.ts',
    'this.prefetch(undefined);',
    '',
    'test/unit/agent/images/image-prefetch.test.ts',
    'are no longer pulled once an open run’s image waits, or the disk is full',
  ],
  [
    'nothing is pulled ahead while its owner keeps the offers off the market',
    'src/agent/images/image-prefetch.ts',
    ' || !this.#deps.isOnMarket()) return;',
    ') return;',
    'test/unit/agent/images/image-prefetch.test.ts',
    'are not pulled ahead while no offer may get jobs',
  ],
  [
    'an image that its owner pins at the last moment stays',
    EVICTOR,
    'inspector.isNeeded(stored) || inspector.isPinned(stored)',
    'inspector.isNeeded(stored)',
    TEST,
    'leaves an image that is pinned while others are removed',
  ],
  [
    'an image that the engine does not remove keeps no others from going',
    EVICTOR,
    'this.#refused.fail(stored.id, undefined, () => REFUSED_MS);',
    '',
    TEST,
    'takes the next image in place of one that the engine',
  ],
  [
    'what has gone is not the agent’s once it comes back, although the journal took no note of it',
    INSPECTOR,
    'this.#gone.add(key);',
    '',
    TEST,
    'goes on where the journal cannot be written, as on a full disk',
  ],
  [
    'what its owner removes while the disk has room is not the agent’s once it comes back',
    EVICTOR,
    'await this.#noteGone(signal);',
    '',
    TEST,
    'leaves what somebody removed and pulled again while the disk had room',
  ],
  [
    'an image that somebody loaded from a file stays',
    INSPECTOR,
    'if (digests.length === 0 && names.length > 0) return false;',
    '',
    TEST,
    'leaves an image that somebody loaded, which has no digest',
  ],
];

/** What keeps images from being removed that somebody needs. */
export const IMAGES: readonly Mutation[] = mutationsOf(rows);
