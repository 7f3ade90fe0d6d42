import { DESK_LEASE_MS, type DeskReports } from '../agent/presence/desk-reports.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';

/** What the desks of users report. A caller's name is not verified: each of them may end jobs anyway. */
export function deskRoutes(desks: DeskReports): readonly Route[] {
  return [
    route(ENDPOINTS.desk, async ({ body: { games }, caller: user }) => {
      desks.report({ user, games });
      return { leaseMs: DESK_LEASE_MS };
    }),
    route(ENDPOINTS.desks, async () => ({ desks: [...desks.reports] })),
  ];
}
