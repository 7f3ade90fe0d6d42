import { createHmac } from 'node:crypto';
import type { Target } from '../../../domain/jobs-network.ts';

/**
 * An address at which nothing is, in a range that is routed nowhere (IETF protocol assignments): jobs may not reach
 * it, and of its ports below our rules refuse some and drop the others.
 */
export const RULE_TARGET_HOST = '192.0.0.200';
const FIRST_PORT = 40_000;
const PORTS = 32;

/** Which ports of the ruleTargets are refused and which are silent. */
export type RuleTargets = { readonly refused: readonly Target[]; readonly silent: readonly Target[] };

/**
 * The ruleTargets of these rules on this host: its pattern tells who hears it that exactly these rules are in force.
 * `secret` is the host's own, so that an image, which carries the probe out, cannot say what it would have heard.
 */
export function ruleTargetsOf(secret: string, rules: string): RuleTargets {
  const bits = createHmac('sha256', secret).update(rules).digest().readUInt32BE();
  const targets = Array.from({ length: PORTS }, (_, index) => ({
    host: RULE_TARGET_HOST,
    port: FIRST_PORT + index,
  }));
  // Two ports are the same everywhere: a pattern in which nothing or everything answers would tell too little.
  const refuses = ({ port }: Target): boolean => {
    const index = port - FIRST_PORT;
    return index === 0 || (index !== 1 && ((bits >>> index) & 1) === 1);
  };
  return { refused: targets.filter(refuses), silent: targets.filter((target) => !refuses(target)) };
}
