import { type Panel, ROWS } from './panels.ts';

/** Where the dashboard is, relative to the root. */
export const DASHBOARD = 'packaging/monitoring/grafana-dashboard.json';

const HEIGHT = { stat: 4, timeseries: 8, bars: 8 } as const;
const COLUMNS = 24;
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard for Grafana 9 and newer, as it is imported. */
export function dashboardText(): string {
  const panels: object[] = [];
  let [x, y, height, id] = [0, 0, 0, 0];
  for (const row of ROWS) {
    y += height;
    panels.push({
      id: (id += 1),
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    [x, y, height] = [0, y + 1, 0];
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) [x, y, height] = [0, y + height, 0];
      const h = HEIGHT[panel.kind];
      panels.push({ id: (id += 1), ...panelOf(panel), gridPos: { x, y, w: panel.width, h } });
      x += panel.width;
      height = Math.max(height, h);
    }
  }
  return `${JSON.stringify({ ...HEAD, panels }, undefined, 2)}\n`;
}

const HEAD = {
  title: 'sharedcloud-agent',
  uid: 'sharedcloud-agent',
  description: 'What hosts with sharedcloud-agent earn and do.',
  tags: ['sharedcloud-agent', 'gpu'],
  schemaVersion: 38,
  version: 1,
  editable: true,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-24h', to: 'now' },
  timezone: 'browser',
  annotations: { list: [] },
  links: [],
  templating: {
    list: [
      {
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        current: {},
        hide: 0,
      },
      {
        name: 'instance',
        label: 'Host',
        type: 'query',
        datasource: SOURCE,
        definition: 'label_values(sharedcloud_agent_info, instance)',
        query: { query: 'label_values(sharedcloud_agent_info, instance)', refId: 'instance' },
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.*',
        current: { selected: true, text: ['All'], value: ['$__all'] },
      },
    ],
  },
} as const;

function panelOf({ help, kind, queries, stacked = false, title, unit }: Panel): object {
  const custom = {
    drawStyle: kind === 'bars' ? 'bars' : 'line',
    fillOpacity: stacked ? 60 : 8,
    lineWidth: 1,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  };
  return {
    type: kind === 'stat' ? 'stat' : 'timeseries',
    title,
    ...(help !== undefined && { description: help }),
    datasource: SOURCE,
    fieldConfig: { defaults: { unit, ...(kind !== 'stat' && { custom, min: 0 }) }, overrides: [] },
    options:
      kind === 'stat'
        ? {
            colorMode: 'none',
            graphMode: 'area',
            reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
          }
        : {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
    // The last value of a day is the sum of that day; without a step of its own a bar would be drawn every few minutes.
    ...(kind === 'bars' && { interval: queries[0]?.expr.includes('[1d]') === true ? '1d' : '1h' }),
    targets: queries.map(({ expr, legend }, place) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + place),
      datasource: SOURCE,
      expr,
      legendFormat: legend === '' ? '__auto' : legend,
      range: kind !== 'stat',
      instant: kind === 'stat',
    })),
  };
}
