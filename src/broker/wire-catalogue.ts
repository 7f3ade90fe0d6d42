import { z } from 'zod';
import type { CatalogueGpu } from '../domain/gpu.ts';
import type { MarketOffer } from '../domain/ports/broker.ts';
import type { FunctionWithCode, ImageInfo } from '../domain/run.ts';
import { LIMITS } from '../limits.ts';
import { parseBrokerTime } from './broker-time.ts';
import { cutName, displayText, id, money, ON_WIRE, registryPath } from './fields.ts';
import type { Fields } from './json-fields.ts';

/** Code may be twice as long on the wire, for its escapes. */
const CODE_ON_WIRE = 2 * LIMITS.broker.code.max;

export const FUNCTION_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  name: ON_WIRE.name,
  code: { keep: CODE_ON_WIRE, refuse: CODE_ON_WIRE },
  runtime: ON_WIRE.name,
  image: ON_WIRE.short,
  registry_path: ON_WIRE.registryPath,
};

/** The wire format of a function. */
export const functionSchema = z
  .object({
    uuid: id(),
    name: displayText('n/a'),
    code: z.string().transform((code) => Buffer.from(code)),
    runtime: z.string().transform(cutName),
    image: id(),
    registry_path: registryPath(),
  })
  .transform(
    ({ code, ...fn }): FunctionWithCode => ({
      spec: {
        uuid: fn.uuid,
        name: fn.name,
        runtime: fn.runtime,
        imageUuid: fn.image,
        registryPath: fn.registry_path,
      },
      code,
    }),
  );

export const IMAGE_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  registry_path: ON_WIRE.registryPath,
  requires_gpu: ON_WIRE.short,
  runtime: ON_WIRE.name,
};

/** The wire format of an image. */
export const imageSchema = z
  .object({ uuid: id(), registry_path: registryPath(), requires_gpu: z.boolean(), runtime: displayText('') })
  .transform(
    (image): ImageInfo => ({
      uuid: image.uuid,
      registryPath: image.registry_path,
      requiresGpu: image.requires_gpu,
      runtime: image.runtime,
    }),
  );

export const GPU_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  name: ON_WIRE.name,
  codename: ON_WIRE.name,
  cuda_cores: ON_WIRE.short,
};

/** The wire format of a catalogue GPU. */
export const gpuSchema = z
  .object({
    uuid: id(),
    name: z.string().transform(cutName),
    codename: displayText(''),
    cuda_cores: z.int().nonnegative(),
  })
  .transform(
    (gpu): CatalogueGpu => ({
      uuid: gpu.uuid,
      name: gpu.name,
      codename: gpu.codename,
      cudaCores: gpu.cuda_cores,
    }),
  );

export const MARKET_OFFER_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  type: ON_WIRE.short,
  gpu_name: ON_WIRE.name,
  ask_price: ON_WIRE.short,
};

/** The wire format of what another provider asks; the uuid is no part of what is documented. */
export const marketOfferSchema = z
  .object({
    uuid: id().optional().catch(undefined),
    type: z.union([z.literal(1), z.literal(2)]),
    gpu_name: displayText('n/a'),
    ask_price: money(),
  })
  .transform(
    (offer): MarketOffer => ({
      instance: offer.uuid,
      gpuName: offer.type === 2 ? offer.gpu_name : undefined,
      askPrice: offer.ask_price,
    }),
  );

export const SERVER_TIME_FIELDS: Fields = { current_server_time: ON_WIRE.short };

/** The broker's current time, which every resource has, in milliseconds; undefined: not readable. */
export const serverTimeSchema = z
  .object({ current_server_time: z.string().transform(parseBrokerTime) })
  .transform((resource) => resource.current_server_time)
  .catch(undefined);
