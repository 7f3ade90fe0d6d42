import { HOST } from './contest.ts';
import { DAYS, SEEDS } from './shapes.ts';

/** The options of `npm run simulate`, as `parseArgs` takes them. */
export const OPTIONS = {
  shape: { type: 'string', multiple: true, default: [] },
  drawn: { type: 'string', multiple: true, default: [] },
  market: { type: 'string', multiple: true, default: [] },
  replay: { type: 'string', multiple: true, default: [] },
  gpu: { type: 'string' },
  strategy: { type: 'string', multiple: true, default: [] },
  seed: { type: 'string' },
  seeds: { type: 'string', default: String(SEEDS.length) },
  days: { type: 'string', default: String(DAYS) },
  slots: { type: 'string', default: String(HOST.slots) },
  watts: { type: 'string', default: String(HOST.marginalW) },
  fee: { type: 'string', default: String(HOST.brokerFee) },
  'per-kwh': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
  json: { type: 'boolean', default: false },
} as const satisfies Readonly<Record<string, Option>>;

type Option =
  | { readonly type: 'boolean'; readonly short?: string; readonly default: boolean }
  | { readonly type: 'string'; readonly multiple?: false; readonly default?: string }
  | { readonly type: 'string'; readonly multiple: true; readonly default: string[] };
