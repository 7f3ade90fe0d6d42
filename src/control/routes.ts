import type { Agent } from '../agent/agent.ts';
import { pullText } from '../agent/events/pull-text.ts';
import type { RecentEvents } from '../agent/events/recent-events.ts';
import type { HealthReport } from '../control-api/protocol.ts';
import type { Route } from '../control-api/route.ts';
import { type BacktestRouteParts, backtestRoute } from './backtest-route.ts';
import { deskRoutes } from './desk-routes.ts';
import { type EarningsParts, earningsRoute } from './earnings-route.ts';
import { eventsRoute } from './events-route.ts';
import { healthRoute } from './health-route.ts';
import { type HistoryParts, historyRoute } from './history-route.ts';
import { imageRoutes } from './image-routes.ts';
import { type JobsParts, jobsRoutes } from './jobs-routes.ts';
import { liveRoute } from './live-route.ts';
import { LiveStatus } from './live-status.ts';
import { marketRoute } from './market-route.ts';
import { type OutputParts, outputRoute } from './output-route.ts';
import { ownerRoutes } from './owner-routes.ts';
import { type PriceParts, priceRoutes } from './price-routes.ts';
import { type SettingsParts, settingsRoutes } from './settings-routes.ts';
import { type StatusParts, statusOf, statusRoute } from './status-route.ts';

export type RouteParts = StatusParts &
  Pick<OutputParts, 'journal'> &
  JobsParts &
  HistoryParts &
  EarningsParts &
  PriceParts &
  BacktestRouteParts &
  SettingsParts & {
    readonly agent: Agent;
    readonly recent: RecentEvents;
    /** Why the status page is not served, though it should be. */
    readonly page: () => { readonly why: string; readonly hint: string } | undefined;
    /** What the agent does, in one line. */
    readonly status: () => string;
  };

/** Everything that a running agent answers. */
export function routesOf(parts: RouteParts): readonly Route[] {
  const { agent, page, pulls, recent, status } = parts;
  const report = (): HealthReport => {
    const [problem, slow] = [agent.problem(), agent.degraded() ?? page()];
    const text = [status(), ...pulls().map(pullText)].join('; ');
    const hint = (problem ?? slow)?.hint ?? null;
    return { status: text, why: problem?.why ?? null, hint, degraded: slow?.why ?? null };
  };
  return [
    healthRoute(report),
    statusRoute(parts),
    eventsRoute(recent),
    liveRoute(
      new LiveStatus({ status: () => statusOf(parts), lastSeq: () => recent.last, clock: parts.clock }),
      recent,
    ),
    outputRoute({ outputs: agent.outputs, journal: parts.journal }),
    ...jobsRoutes(parts),
    historyRoute(parts),
    earningsRoute(parts),
    marketRoute(parts),
    ...priceRoutes(parts),
    ...imageRoutes(parts),
    backtestRoute(parts),
    ...settingsRoutes(parts),
    ...ownerRoutes(agent),
    ...deskRoutes(agent.desks),
  ];
}
