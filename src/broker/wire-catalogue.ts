import { z } from 'zod';
import type { CatalogueGpu } from '../domain/gpu.ts';
import type { FunctionSpec, ImageInfo } from '../domain/run.ts';
import { parseBrokerTime } from './broker-time.ts';
import { displayText, id } from './fields.ts';

/** The wire format of a function. */
export const functionSchema = z
  .object({
    uuid: id(),
    name: displayText('n/a'),
    code: z.string(),
    runtime: z.string(),
    image: id(),
    registry_path: z.string(),
  })
  .transform(
    (fn): FunctionSpec => ({
      uuid: fn.uuid,
      name: fn.name,
      code: fn.code,
      runtime: fn.runtime,
      imageUuid: fn.image,
      registryPath: fn.registry_path,
    }),
  );

/** The wire format of an image. */
export const imageSchema = z
  .object({ uuid: id(), registry_path: z.string(), requires_gpu: z.boolean(), runtime: displayText('') })
  .transform(
    (image): ImageInfo => ({
      uuid: image.uuid,
      registryPath: image.registry_path,
      requiresGpu: image.requires_gpu,
      runtime: image.runtime,
    }),
  );

/** The wire format of a catalogue GPU. */
export const gpuSchema = z
  .object({ uuid: id(), name: z.string(), codename: displayText(''), cuda_cores: z.int().nonnegative() })
  .transform(
    (gpu): CatalogueGpu => ({
      uuid: gpu.uuid,
      name: gpu.name,
      codename: gpu.codename,
      cudaCores: gpu.cuda_cores,
    }),
  );

/** The broker's current time, which every resource has, in milliseconds; undefined: not readable. */
export const serverTimeSchema = z
  .object({ current_server_time: z.string().transform(parseBrokerTime) })
  .transform((resource) => resource.current_server_time)
  .catch(undefined);
