import { ENDPOINTS } from '../control-api/endpoints.ts';
import type { HealthReport } from '../control-api/protocol.ts';
import { type Route, route } from '../control-api/route.ts';
import { LIMITS } from '../limits.ts';

/** Whether the agent answers, what it does, and why it can claim no job. */
export function healthRoute(report: () => HealthReport): Route {
  return route(ENDPOINTS.health, async () => {
    const { degraded, hint, status, why } = report();
    return {
      status: short(status),
      why: why && short(why),
      hint: hint && short(hint),
      degraded: degraded && short(degraded),
    };
  });
}

function short(text: string): string {
  return text.slice(0, LIMITS.log.health.max);
}
