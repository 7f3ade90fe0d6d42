import { createHmac } from 'node:crypto';
import type { Target } from '../../../domain/jobs-network.ts';

/** An unused address of a range that is not routed (IETF protocol assignments). The rules answer for it. */
export const RULE_TARGET_HOST = '192.0.0.200';
const FIRST_PORT = 40_000;
const PORTS = 32;

/** The ports at which the rules refuse connections, and those at which they drop them. */
export type RuleTargets = { readonly refused: readonly Target[]; readonly silent: readonly Target[] };

/**
 * Derives which ports refuse from the text of the rules, so that their pattern verifies that exactly these rules are in
 * force. `secret` is the host's own: an image runs the probe and must not be able to compute the pattern.
 */
export function ruleTargetsOf(secret: string, rules: string, host: string = RULE_TARGET_HOST): RuleTargets {
  const bits = createHmac('sha256', secret).update(rules).digest().readUInt32BE();
  const targets = Array.from({ length: PORTS }, (_, index) => ({
    host,
    port: FIRST_PORT + index,
  }));
  // The first port always refuses and the second never does, so that both kinds occur.
  const refuses = ({ port }: Target): boolean => {
    const index = port - FIRST_PORT;
    return index === 0 || (index !== 1 && ((bits >>> index) & 1) === 1);
  };
  return { refused: targets.filter(refuses), silent: targets.filter((target) => !refuses(target)) };
}
