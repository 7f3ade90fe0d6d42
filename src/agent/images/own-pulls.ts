import { engineKey } from '../../domain/engine-identity.ts';
import { asAgentError } from '../../domain/errors.ts';
import { canonicalRefOf } from '../../domain/image-ref.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ImageRecords, OwnPull } from '../../domain/ports/image-records.ts';
import type { Images, ReadyImage, Runtime } from '../../domain/ports/runtime.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';

/** The runtime, with a record of the pulls that brought an image. */
export function recordPulls(runtime: Runtime, deps: Omit<OwnPullsDeps, 'images'>): Runtime {
  const images = new OwnPulls({ ...deps, images: runtime.images });
  return {
    ...runtime,
    images,
    // Known only once the engine has answered.
    get storagePath() {
      return runtime.storagePath;
    },
  };
}

/** How long the engine may take to say who it is. */
const IDENTITY_MS = 10_000;

type OwnPullsDeps = {
  readonly images: Images;
  /** Which engine answers now; absent: jobs do not run in containers. */
  readonly identity: Runtime['identity'];
  readonly records: Pick<ImageRecords, 'addPull' | 'pulls'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
};

/** The images of an engine; records which of them the agent's pulls brought. What is in doubt counts as the owner's. */
class OwnPulls implements Images {
  readonly #deps: OwnPullsDeps;

  constructor(deps: OwnPullsDeps) {
    this.#deps = deps;
  }

  find(ref: string): Promise<ReadyImage | undefined> {
    return this.#deps.images.find(ref);
  }

  async prepare(ref: string, signal: AbortSignal): Promise<ReadyImage> {
    const { images } = this.#deps;
    // Another engine may answer by the end of a pull.
    const before = await this.#engine(ref);
    const ready = await images.prepare(ref, signal);
    const { broughtId, namedId = broughtId } = ready;
    const canonical = canonicalRefOf(ref);
    if (namedId === undefined || canonical === undefined || before === undefined) return ready;
    // Not the caller's signal: the image is here even if nobody needs it any more.
    if ((await this.#engine(ref)) !== before) return ready;
    if (broughtId !== undefined || this.#isOwn(before, namedId))
      this.#record(before, canonical, namedId, ready.sizeBytes);
    return ready;
  }

  /** Another name of an image of the agent's own is the agent's as well, and not a sign of its owner. */
  #isOwn(engine: string, imageId: string): boolean {
    const isIt = (pull: OwnPull): boolean => pull.imageId === imageId && pull.removedAt === undefined;
    try {
      return this.#deps.records.pulls(engine).some(isIt);
    } catch (thrown) {
      this.#failed(imageId, thrown);
      return false;
    }
  }

  #record(engine: string, ref: string, imageId: string, bytes: number): void {
    const { clock, records } = this.#deps;
    try {
      records.addPull({ engine, imageId, ref, pulledAt: clock.now(), bytes, removedAt: undefined });
    } catch (thrown) {
      this.#failed(ref, thrown);
    }
  }

  async #engine(ref: string): Promise<string | undefined> {
    try {
      const identity = await this.#deps.identity?.(within(IDENTITY_MS));
      return identity && engineKey(identity);
    } catch (thrown) {
      this.#failed(ref, thrown);
      return undefined;
    }
  }

  #failed(image: string, thrown: unknown): void {
    const { code, message } = asAgentError(thrown);
    this.#deps.log.warn(
      { event: 'image-pull-not-recorded', image, code },
      `the image will count as the owner’s, and is never removed: ${message}`,
    );
  }
}
