import type { z } from 'zod';
import type { Agent } from '../agent/agent.ts';
import type { ImageView } from '../agent/images/image-keeping.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import type { IMAGE_VIEWS } from '../control-api/image-views.ts';
import { type Route, route } from '../control-api/route.ts';
import { KEEP_REASONS, type KeepReason } from '../domain/image-eviction.ts';

type Views = { readonly [Name in keyof typeof IMAGE_VIEWS]: z.output<(typeof IMAGE_VIEWS)[Name]> };

/** Which images the engine has, what each is worth and why it stays; pins, and the removal of what is worth least. */
export function imageRoutes({ agent }: { readonly agent: Pick<Agent, 'images'> }): readonly Route[] {
  const { images } = agent;
  return [
    route(ENDPOINTS.images, async ({ signal }): Promise<Views['images']> => {
      const list = await images.list(signal);
      return { disk: list.disk ?? null, pins: images.pins(), images: list.images.map(imageAnswer) };
    }),
    route(ENDPOINTS.imagePin, async ({ body, caller: by, from }): Promise<Views['pinned']> => {
      const { changed } = images.pin(body.image, { by, from });
      return { changed, pins: images.pins() };
    }),
    route(ENDPOINTS.imageUnpin, async ({ body, caller: by, from }): Promise<Views['pinned']> => {
      const { changed } = images.unpin(body.image, { by, from });
      return { changed, pins: images.pins() };
    }),
    route(ENDPOINTS.imageCollect, async ({ body, caller: by, from, signal }): Promise<Views['collected']> => {
      const dryRun = body.dryRun ?? false;
      const { disk, kept, removed } = await images.gc(dryRun, { by, from }, signal);
      return {
        dryRun,
        disk: disk ?? null,
        removed: removed.map(({ freedBytes, id, names, valuePerDay }) => ({
          id,
          names,
          freedBytes,
          valuePerDayMicroDollars: valuePerDay,
        })),
        kept: kept.map(imageAnswer),
      };
    }),
  ];
}

function imageAnswer(view: ImageView): Views['images']['images'][number] {
  const { bytes, id, isPinned, keep, names, ownBytes, pulledAt, usedAt, valuePerDay } = view;
  return {
    id,
    names,
    sizeBytes: bytes,
    ownBytes,
    valuePerDayMicroDollars: valuePerDay,
    pulledAt: pulledAt ?? null,
    usedAt: usedAt ?? null,
    pinned: isPinned,
    ...keptAnswer(keep),
  };
}

function keptAnswer(keep: KeepReason | undefined) {
  return keep === undefined ? { keep: null, why: null } : { keep, why: KEEP_REASONS[keep] };
}
