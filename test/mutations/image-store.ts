import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const STORE = 'src/runtime/docker/image/store.ts';
const IMAGES = 'src/runtime/docker/image/images.ts';
const UNIT = 'test/unit/runtime/docker/image/store.test.ts';
const DOCKER = 'test/docker/runtime/image-store.test.ts';

const rows: readonly MutationRow[] = [
  [
    'an image that somebody gave another name stays',
    STORE,
    'if (isRenamed || hasChild',
    'if (hasChild',
    UNIT,
    'of one that %s asks for none',
  ],
  [
    'an image from which another was built stays',
    STORE,
    'if (isRenamed || hasChild',
    'if (isRenamed',
    UNIT,
    'of one that %s asks for none',
  ],
  [
    'an image with a container stays under all of its names',
    STORE,
    ' || (await this.#usedImages(signal)).has(id)) return',
    ') return',
    DOCKER,
    'stay while a container has them, created %s',
  ],
  [
    'an image is removed by its id, for which the engine looks for its users first',
    STORE,
    'return others.filter(',
    'return tagsFirst.filter(',
    UNIT,
    'of %s ends with its id',
  ],
  [
    'an image that the engine had before its pull is the owner’s',
    IMAGES,
    '!change.before.has(engineId)',
    'true',
    DOCKER,
    'are known as brought by the pull that brought them, and by no other',
  ],
  [
    'an image that somebody else pulled meanwhile is the owner’s',
    IMAGES,
    'return change.hasBrought ? { ...ready, broughtId: engineId } : ready;',
    'return { ...ready, broughtId: engineId };',
    DOCKER,
    'are not known as brought where somebody else pulls them meanwhile',
  ],
  [
    'a layer over other layers is another layer',
    'src/runtime/docker/image/stored-layers.ts',
    'chain = chain ===',
    'chain = chain !==',
    'test/unit/runtime/docker/image/stored-layers.test.ts',
    'are named by their chain, as the engine stores them',
  ],
];

/** What keeps images that are not the agent's to remove. */
export const IMAGE_STORE: readonly Mutation[] = mutationsOf(rows);
