import { healthRoute } from '../../../src/control/health-route.ts';
import type { HealthReport } from '../../../src/control-api/protocol.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';

/** Answers `health` on the socket of a state directory, as an agent does. */
export function serveHealth(stateDir: string, report: () => HealthReport): Promise<AsyncDisposable> {
  return serveControl(socketsOf(stateDir, undefined), { routes: [healthRoute(report)], version: '0.0.0' });
}
