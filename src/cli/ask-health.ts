import { ENDPOINTS } from '../control-api/endpoints.ts';
import type { HealthReport } from '../control-api/protocol.ts';
import { askAgent } from './ask-agent.ts';

/** The health of the agent on a state directory; `silent`: it runs but does not answer; `none`: none runs. */
export type Health = ({ readonly kind: 'alive' } & HealthReport) | { readonly kind: 'silent' | 'none' };

/** Asks the agent of a state directory, which has `ms` milliseconds to answer. Throws as `askAgent` does. */
export async function askHealth(stateDir: string, ms: number): Promise<Health> {
  const asked = await askAgent({ caller: 'health' }, stateDir, ENDPOINTS.health, {}, ms);
  if (asked.kind !== 'answer') return asked;
  return { kind: 'alive', ...asked.answer };
}
