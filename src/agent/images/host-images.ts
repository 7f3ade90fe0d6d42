import { AgentError } from '../../domain/errors.ts';
import { bytesOfImages, type OwnersBytes } from '../../domain/image-bytes.ts';
import type { HeldImage } from '../../domain/image-eviction.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ImagePin, ImageRecords } from '../../domain/ports/image-records.ts';
import type { Observer } from '../events/events.ts';
import type { Giver } from '../holds/owner-control.ts';
import type {
  CollectorPlan,
  ImageCollection,
  ImageCollector,
  ImageKeeping,
  ImageList,
  ImageView,
} from './image-keeping.ts';
import { pinImage, unpinImage } from './image-pins.ts';
import { ImageTotals } from './image-totals.ts';

export type HostImagesDeps = {
  readonly records: Pick<ImageRecords, 'pin' | 'pins' | 'unpin'>;
  /** Undefined: jobs run in no containers. */
  readonly collector: ImageCollector | undefined;
  /** When a job last used an image, by its canonical reference, in milliseconds of the wall clock. */
  readonly usedAt: (ref: string) => number | undefined;
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  readonly observe: Observer;
  /** Aborted when the daemon ends. */
  readonly detach: AbortSignal;
};

/** What the owner may ask of images. */
export class HostImages implements ImageKeeping {
  readonly #deps: HostImagesDeps;
  readonly #totals: ImageTotals | undefined;

  constructor(deps: HostImagesDeps) {
    this.#deps = deps;
    const { clock, collector, detach } = deps;
    const images = async (one: ImageCollector, signal: AbortSignal): Promise<readonly HeldImage[]> =>
      (await one.plan('marks', signal)).images.map(({ held }) => held);
    this.#totals =
      collector && new ImageTotals({ images: (signal) => images(collector, signal), clock, signal: detach });
  }

  async list(signal: AbortSignal): Promise<ImageList> {
    const planned = await this.#deps.collector?.plan('marks', signal);
    // Not an error, because a page that asks is no mistake.
    if (planned === undefined) return { disk: undefined, images: [] };
    return { disk: planned.disk, images: this.#views(planned) };
  }

  totals(): OwnersBytes | undefined {
    return this.#totals?.glance();
  }

  pins(): readonly ImagePin[] {
    return this.#deps.records.pins();
  }

  pin(name: string, giver: Giver): ReturnType<ImageKeeping['pin']> {
    const { clock, observe, records } = this.#deps;
    const answer = pinImage(records, name, { ...giver, at: clock.now() });
    if (answer.changed) observe({ kind: 'image-pinned', image: answer.pin.ref, ...giver });
    return answer;
  }

  unpin(name: string, giver: Giver): ReturnType<ImageKeeping['unpin']> {
    const { clock, observe, records } = this.#deps;
    const answer = unpinImage(records, name, { ...giver, at: clock.now() });
    if (answer.changed) observe({ kind: 'image-unpinned', image: answer.ref, ...giver });
    return answer;
  }

  async gc(isDryRun: boolean, giver: Giver, signal: AbortSignal): Promise<ImageCollection> {
    const collector = this.#collector;
    const done = await (isDryRun ? collector.plan('low', signal) : collector.collect(signal));
    const byId = new Map(this.#views(done).map((view) => [view.id, view]));
    const removed = done.plan.evicted.flatMap(({ freedBytes, image }) => {
      const view = byId.get(image.id);
      byId.delete(image.id);
      return view === undefined ? [] : [{ ...namedOf(view), freedBytes }];
    });
    if (!isDryRun) {
      const freedBytes = removed.reduce((sum, one) => sum + one.freedBytes, 0);
      this.#deps.observe({ kind: 'images-collected', removed: removed.length, freedBytes, ...giver });
    }
    return { disk: done.disk, removed, kept: [...byId.values()] };
  }

  get #collector(): ImageCollector {
    const { collector } = this.#deps;
    if (collector === undefined)
      throw new AgentError('IMAGES_UNKNOWN', 'jobs of this agent run in no containers, so it has no images');
    return collector;
  }

  /** The most valuable first, then the largest. */
  #views({ images, plan }: CollectorPlan): readonly ImageView[] {
    const reasons = new Map(plan.kept.map(({ image, reason }) => [image.id, reason]));
    const bytes = bytesOfImages(images.map(({ held }) => held));
    return images
      .map(
        ({ held, refs }): ImageView => ({
          id: held.id,
          names: refs,
          ...(bytes.get(held.id) ?? { bytes: 0, ownBytes: 0 }),
          valuePerDay: held.valuePerDay,
          usedAt: this.#usedAt(refs),
          pulledAt: held.pulledAt,
          isPinned: held.isPinned,
          keep: reasons.get(held.id),
        }),
      )
      .toSorted((a, b) => b.valuePerDay - a.valuePerDay || b.bytes - a.bytes || (a.id < b.id ? -1 : 1));
  }

  #usedAt(refs: readonly string[]): number | undefined {
    const times = refs.flatMap((ref) => this.#deps.usedAt(ref) ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }
}

function namedOf({ id, names, valuePerDay }: ImageView): Pick<ImageView, 'id' | 'names' | 'valuePerDay'> {
  return { id, names, valuePerDay };
}
