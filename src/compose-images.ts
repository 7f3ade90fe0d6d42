import type { AdmissionCheck } from './agent/admission/resource-checks.ts';
import type { Observer } from './agent/events/events.ts';
import { HostImages } from './agent/images/host-images.ts';
import type { ImageDemands } from './agent/images/image-demand.ts';
import { ImageEvictor } from './agent/images/image-evictor.ts';
import { ImageInspector } from './agent/images/image-inspector.ts';
import { ImagePrefetch } from './agent/images/image-prefetch.ts';
import type { ImagePuller } from './agent/images/image-puller.ts';
import type { ImageDiskRules, ImageRoom } from './agent/images/image-room.ts';
import type { ImageUses } from './agent/images/image-uses.ts';
import { wantedImages } from './agent/images/wanted-images.ts';
import type { OfferWorker } from './agent/market/offer-worker.ts';
import type { AgentSettings } from './agent/settings.ts';
import type { Config } from './config/config.ts';
import { engineKey } from './domain/engine-identity.ts';
import { imageDayOf } from './domain/image-day.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { DiskUse } from './domain/ports/host.ts';
import type { Journal } from './domain/ports/journal.ts';
import type { Runtime } from './domain/ports/runtime.ts';
import { diskUse } from './host/disk-space.ts';
import type { Log } from './lib/log.ts';

/* The part of the composition root for the images that stay on this host. */

/** Images that runs wanted in these days are pulled ahead. */
const WANTED_DAYS = 7;
/** As many of them, those that most runs wanted. */
const MAX_CANDIDATES = 200;

/** What keeps the disk of images below its mark, and what pulls ahead; undefined: that is off. */
export type ImageWorkers = { readonly evictor: ImageEvictor; readonly prefetch: ImagePrefetch | undefined };

type HostParts = {
  readonly imageDisk?: ImageDiskRules | undefined;
  readonly runtime: Runtime;
  /** Which engine answers now; undefined: jobs do not run in containers. */
  readonly identity: Runtime['identity'];
  readonly journal: Journal;
  readonly uses: ImageUses;
  readonly images: ImagePuller;
  readonly demand: Pick<ImageDemands, 'usedAt' | 'valuePerDay'>;
  readonly workers: () => readonly OfferWorker[];
  readonly settings: Pick<AgentSettings, 'imagePatterns' | 'minFreeBytes' | 'once'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Observer;
  readonly detach: AbortSignal;
};

/** Builds what decides on the images of this host, and what their owner may ask of them. */
export function keepImages(host: HostParts): {
  readonly images: HostImages;
  readonly workers: ImageWorkers | undefined;
} {
  const { demand, journal } = host;
  const workers = openWorkers(host);
  const usedAt = (ref: string): number | undefined => demand.usedAt(ref);
  const images = new HostImages({
    ...host,
    records: journal.images,
    collector: workers?.evictor,
    usedAt,
  });
  return { images, workers };
}

/** Makes room before the check of the disk blocks claims; blocks none itself. */
export function checksOfImages(disk: ImageDiskRules | undefined): readonly AdmissionCheck[] {
  return [{ name: 'image-room', why: () => disk?.room.soon() }];
}

/** Undefined: jobs do not run in containers, or nothing is decided. */
function openWorkers(host: HostParts): ImageWorkers | undefined {
  const { clock, demand, identity, imageDisk, images, journal, runtime, settings } = host;
  const { imageStore: store } = runtime;
  if (imageDisk === undefined || store === undefined || identity === undefined) return undefined;
  const valuePerDay = (ref: string): number => demand.valuePerDay(ref);
  const inspector = new ImageInspector({
    ...host,
    store,
    records: journal.images,
    engine: async (signal) => engineKey(await identity(signal)),
    valuePerDay,
    now: () => clock.now(),
  });
  const disk = (): DiskUse | undefined =>
    runtime.storagePath === undefined ? undefined : imageDisk.use(runtime.storagePath);
  const evictor = new ImageEvictor({
    ...host,
    ...imageDisk,
    store,
    inspector,
    disk,
    minFreeBytes: settings.minFreeBytes,
    wanted: () => wantedImages(host.workers()),
    makeWay: () => images.makeWay(),
    signal: host.detach,
  });
  imageDisk.room.use(evictor);
  if (!imageDisk.prefetch || settings.once) return { evictor, prefetch: undefined };
  const prefetch = new ImagePrefetch({
    ...host,
    ...imageDisk,
    inspector,
    wantedRefs: () => {
      const from = imageDayOf(clock.now()) - WANTED_DAYS + 1;
      return journal.images.wantedRefs(from, MAX_CANDIDATES);
    },
    valuePerDay,
    isOnMarket: () =>
      host.workers().some(({ openSlots, suspendedWhy }) => openSlots > 0 && suspendedWhy === undefined),
    patterns: settings.imagePatterns,
    disk,
  });
  return { evictor, prefetch };
}

/** What the configuration says of the disk of images. */
export function imageDiskRules(
  { imageDiskHigh: high, imageDiskLow: low, prefetch, pullCost }: Config,
  room: ImageRoom,
): ImageDiskRules {
  return { use: diskUse, high, low, prefetch: prefetch === 'on', costPerByte: pullCost / 1000, room };
}
