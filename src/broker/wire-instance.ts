import { z } from 'zod';
import { type OfferPlan, parallelJobsOf } from '../domain/offer.ts';
import type { Instance } from '../domain/ports/broker.ts';
import { displayText, id, money, ON_WIRE } from './fields.ts';
import type { Fields } from './json-fields.ts';

const TYPE = { cpu: 1, gpu: 2 } as const;
const NOT_AVAILABLE = 1;

export const INSTANCE_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  name: ON_WIRE.name,
  type: ON_WIRE.short,
  gpu: ON_WIRE.short,
  ask_price: ON_WIRE.short,
  max_num_parallel_jobs: ON_WIRE.short,
  status: ON_WIRE.short,
};

/** The wire format of an instance. */
export const instanceSchema = z
  .object({
    uuid: id(),
    name: displayText(''),
    type: z.union([z.literal(TYPE.cpu), z.literal(TYPE.gpu)]),
    gpu: id().nullish(),
    ask_price: money(),
    max_num_parallel_jobs: z.int().nonnegative(),
    status: z.int().optional().catch(undefined),
  })
  .transform(
    (instance): Instance => ({
      uuid: instance.uuid,
      name: instance.name,
      kind: instance.type === TYPE.gpu ? 'gpu' : 'cpu',
      gpu: instance.gpu ?? null,
      askPrice: instance.ask_price,
      maxParallelJobs: instance.max_num_parallel_jobs,
      available: instance.status !== NOT_AVAILABLE,
    }),
  );

/** The body that registers or updates an offer. */
export function instanceBody(plan: OfferPlan): Readonly<Record<string, unknown>> {
  return {
    name: plan.name,
    type: TYPE[plan.kind],
    gpu: plan.gpu?.uuid ?? null,
    ask_price: plan.askPrice,
    max_num_parallel_jobs: parallelJobsOf(plan),
  };
}
