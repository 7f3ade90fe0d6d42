import { existsSync } from 'node:fs';
import { ask } from './ask.ts';
import { ENDPOINTS } from './endpoints.ts';
import type { HealthReport } from './protocol.ts';

/** The health of the agent on a state directory; `silent`: it runs but does not answer; `none`: none runs. */
export type Health = ({ readonly kind: 'alive' } & HealthReport) | { readonly kind: 'silent' | 'none' };

/** Asks the agent on a state directory, which has `ms` milliseconds to answer. Throws as `ask` does. */
export async function askHealth(stateDir: string, ms: number): Promise<Health> {
  if (!existsSync(stateDir)) return { kind: 'none' };
  const asked = await ask(stateDir, ENDPOINTS.health, { caller: 'health' }, ms);
  if (asked.kind !== 'answer') return asked;
  return { kind: 'alive', ...asked.answer };
}
