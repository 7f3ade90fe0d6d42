import { z } from 'zod';
import type { CatalogueGpu } from '../domain/gpu.ts';
import type { FunctionSpec, ImageInfo } from '../domain/run.ts';
import { parseBrokerTime } from './broker-time.ts';
import { caption, id } from './fields.ts';

/** A function, as the domain has it. */
export const functionSchema = z
  .object({
    uuid: id(),
    name: caption('n/a'),
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

/** An image, as the domain has it. */
export const imageSchema = z
  .object({ uuid: id(), registry_path: z.string(), requires_gpu: z.boolean(), runtime: caption('') })
  .transform(
    (image): ImageInfo => ({
      uuid: image.uuid,
      registryPath: image.registry_path,
      requiresGpu: image.requires_gpu,
      runtime: image.runtime,
    }),
  );

/** A GPU of the catalogue, as the domain has it. */
export const gpuSchema = z
  .object({ uuid: id(), name: z.string(), codename: caption(''), cuda_cores: z.int().nonnegative() })
  .transform(
    (gpu): CatalogueGpu => ({
      uuid: gpu.uuid,
      name: gpu.name,
      codename: gpu.codename,
      cudaCores: gpu.cuda_cores,
    }),
  );

/** The broker's time of now that every resource carries, in milliseconds; undefined where it cannot be read. */
export const serverTimeSchema = z
  .object({ current_server_time: z.string().transform(parseBrokerTime) })
  .transform((resource) => resource.current_server_time)
  .catch(undefined);
