import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { HeldImage } from '../../domain/image-eviction.ts';
import { parseImageRef, TEST_IMAGE_REPOSITORY } from '../../domain/image-ref.ts';
import { SLOT_STATES } from '../../domain/job.ts';
import type { ImageRecords, OwnPull } from '../../domain/ports/image-records.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { ImageStore, StoredImage } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { inSlices, type Steps } from '../../lib/slices.ts';
import { engineNameOf, type ImageUses } from './image-uses.ts';

export type ImageInspectorDeps = {
  readonly store: ImageStore;
  readonly records: Pick<ImageRecords, 'pins' | 'pulls' | 'removed'>;
  readonly journal: Pick<Journal, 'inState'>;
  readonly uses: ImageUses;
  /** The key of the engine that answers now in the records of pulls; undefined: it may be another one. */
  readonly engine: (signal: AbortSignal) => Promise<string | undefined>;
  /** What an image is worth, by its canonical reference, in micro-dollars a day. */
  readonly valuePerDay: (ref: string) => number;
  /** Milliseconds of the wall clock. */
  readonly now: () => number;
  readonly log: Log;
};

/** An image of the engine with all that is known of it here. */
export type InspectedImage = {
  readonly stored: StoredImage;
  /** The canonical references that runs and owners know it by. */
  readonly refs: readonly string[];
  readonly held: HeldImage;
};

/** The images of one engine at one moment. */
export type Inspection = {
  /** As of `ImageInspectorDeps`. */
  readonly engine: string | undefined;
  readonly images: readonly InspectedImage[];
};

/** Finds out which images the engine has, whose they are, what they are worth, and what needs them. */
export class ImageInspector {
  readonly #deps: ImageInspectorDeps;
  /** What has gone although the journal took no note of it, by `goneKey`. */
  readonly #gone = new Set<string>();

  constructor(deps: ImageInspectorDeps) {
    this.#deps = deps;
  }

  /** Throws RUNTIME_UNAVAILABLE, JOURNAL_UNUSABLE. */
  async inspect(signal: AbortSignal): Promise<Inspection> {
    const { engine, pulls, stored } = await this.#read(signal);
    return { engine, images: await inSlices(this.#examine(stored, pulls)) };
  }

  /** Notes which images somebody has removed: should they come back, they are not the agent’s. Throws as `inspect`. */
  async noteGone(signal: AbortSignal): Promise<void> {
    await this.#read(signal);
  }

  /** All pulls of the agent into the engine that answers now, also of what was removed since; none where that is in doubt. */
  async pulls(signal: AbortSignal): Promise<readonly OwnPull[]> {
    const engine = await this.#deps.engine(signal);
    return engine === undefined ? [] : this.#deps.records.pulls(engine);
  }

  /** Whether the owner has pinned an image by now. */
  isPinned({ names }: StoredImage): boolean {
    const pins = this.#pins();
    return names.some((name) => pins.has(name));
  }

  /** Notes that an image has gone. Never throws: on a full disk the journal may take nothing until images have gone. */
  gone(engine: string, imageId: string): void {
    const { log, now, records } = this.#deps;
    const key = goneKey(engine, imageId);
    try {
      records.removed(engine, imageId, now());
      this.#gone.delete(key);
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      if (this.#gone.size === 0)
        log.warn({ event: 'image-removal-not-recorded', code }, `it is tried again later: ${message}`);
      this.#gone.add(key);
    }
  }

  /** Whether a claim, a job that has not ended, or a pull needs an image at this moment. */
  isNeeded(image: StoredImage): boolean {
    return this.#isNeeded(image, this.#imagesOfJobs());
  }

  /** The value of each image takes some queries of the journal. */
  *#examine(
    stored: readonly StoredImage[],
    pulls: ReadonlyMap<string, readonly OwnPull[]>,
  ): Steps<readonly InspectedImage[]> {
    const { records, valuePerDay } = this.#deps;
    const pins = new Set(records.pins().map(({ ref }) => engineNameOf(ref)));
    const ofJobs = this.#imagesOfJobs();
    const images: InspectedImage[] = [];
    for (const image of stored) {
      const own = pulls.get(image.id) ?? [];
      const refs = refsOf(image, own);
      images.push({
        stored: image,
        refs,
        held: {
          id: image.id,
          layers: image.layers,
          valuePerDay: refs.reduce((sum, ref) => sum + valuePerDay(ref), 0),
          pulledAt: isOwn(image, own) ? Math.max(...own.map(({ pulledAt }) => pulledAt)) : undefined,
          isPinned: image.names.some((name) => pins.has(name)),
          hasContainer: image.hasContainer,
          isNeeded: this.#isNeeded(image, ofJobs),
          isTestImage: image.names.some(isTestImage),
        },
      });
      yield 'long';
    }
    return images;
  }

  #isNeeded({ id, names }: StoredImage, ofJobs: ReadonlySet<string>): boolean {
    const all = [id, ...names];
    return this.#deps.uses.isHeld(all) || all.some((name) => ofJobs.has(name));
  }

  /** Also of the jobs that an earlier agent began. */
  #imagesOfJobs(): ReadonlySet<string> {
    return new Set(this.#deps.journal.inState(...SLOT_STATES).map(({ image }) => image));
  }

  /** The images of the engine and which pulls brought them. */
  async #read(signal: AbortSignal): Promise<{
    readonly engine: string | undefined;
    readonly stored: readonly StoredImage[];
    readonly pulls: ReadonlyMap<string, readonly OwnPull[]>;
  }> {
    const { records, store } = this.#deps;
    const engine = await this.#deps.engine(signal);
    // Before the list, so that what is recorded meanwhile does not seem to be gone.
    const recorded = engine === undefined ? [] : records.pulls(engine);
    const stored = await store.list(signal);
    if ((await this.#deps.engine(signal)) !== engine)
      throw new AgentError('RUNTIME_UNAVAILABLE', 'another Docker engine answers now');
    return { engine, stored, pulls: await inSlices(this.#pullsInto(recorded, stored)) };
  }

  /** The agent's own pulls by the image's id. What somebody else removed is no longer the agent's, should it come back. */
  *#pullsInto(
    recorded: readonly OwnPull[],
    stored: readonly StoredImage[],
  ): Steps<ReadonlyMap<string, readonly OwnPull[]>> {
    const pulls = new Map<string, OwnPull[]>();
    const here = new Set(stored.map(({ id }) => id));
    for (const pull of recorded) {
      if (pull.removedAt !== undefined) continue;
      const isGone = !here.has(pull.imageId) || this.#gone.has(goneKey(pull.engine, pull.imageId));
      if (!isGone) pulls.set(pull.imageId, [...(pulls.get(pull.imageId) ?? []), pull]);
      else {
        // An owner may have pruned hundreds, and each write waits for the disk.
        this.gone(pull.engine, pull.imageId);
        yield 'long';
      }
    }
    return pulls;
  }

  /** The names that engines have of what is pinned. */
  #pins(): ReadonlySet<string> {
    return new Set(this.#deps.records.pins().map(({ ref }) => engineNameOf(ref)));
  }
}

function goneKey(engine: string, imageId: string): string {
  return `${engine} ${imageId}`;
}

/**
 * Whether an image is the agent's own: a pull of it brought it, and it has no name that somebody else gave it. Whatever is in
 * doubt is the owner's.
 */
function isOwn({ names }: StoredImage, pulls: readonly OwnPull[]): boolean {
  if (pulls.length === 0) return false;
  const pulled = new Set(pulls.map(({ ref }) => engineNameOf(ref)));
  const repositories = new Set(pulls.map(({ ref }) => parseImageRef(ref)?.repository));
  // An engine gives the digest itself, with each pull; somebody may have loaded an image that has a tag and none.
  const digests = names.filter((name) => {
    const parsed = parseImageRef(name);
    return parsed?.digest !== undefined && repositories.has(parsed.repository);
  });
  if (digests.length === 0 && names.length > 0) return false;
  return names.every((name) => pulled.has(name) || digests.includes(name));
}

/** Names that an image has no longer say nothing of it: a tag may have moved on to another one. */
function refsOf({ names }: StoredImage, pulls: readonly OwnPull[]): readonly string[] {
  const here = new Set(names);
  return [
    ...new Set([...names, ...pulls.map(({ ref }) => ref).filter((ref) => here.has(engineNameOf(ref)))]),
  ];
}

/** It is never pulled, and has a name that no run may name. */
function isTestImage(name: string): boolean {
  return parseImageRef(name)?.repository === TEST_IMAGE_REPOSITORY;
}
