/** A query with what its lines are called. */
type Query = { readonly expr: string; readonly legend: string };

/** A panel of the dashboard. */
export type Panel = {
  readonly title: string;
  readonly kind: 'timeseries' | 'stat' | 'bars';
  /** As Grafana names units. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
  readonly help?: string;
};

const HERE = 'instance=~"$instance"';
/** Adds the GPU's index and model to values by `gpu`. */
const NAMED =
  '* on (instance, gpu) group_left (index, model) max by (instance, gpu, index, model) (sharedcloud_agent_gpu_info)';
const GPU = '{{instance}} {{index}} {{model}}';

function gpuPanel(title: string, unit: string, expr: string): Panel {
  return { title, kind: 'timeseries', unit, width: 12, queries: [{ expr: `${expr} ${NAMED}`, legend: GPU }] };
}

/** A stat of one figure. */
function stat(title: string, unit: string, expr: string, help?: string): Panel {
  return {
    title,
    kind: 'stat',
    unit,
    width: 4,
    queries: [{ expr, legend: '' }],
    ...(help !== undefined && { help }),
  };
}

/** The rows of the dashboard, from the top. */
export const ROWS: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'Earnings',
    panels: [
      stat(
        'Last 24 h',
        'currencyUSD',
        `sum(increase(sharedcloud_agent_earnings_confirmed_dollars_total{${HERE}}[24h]))`,
        'What the broker has confirmed.',
      ),
      stat('Pending', 'currencyUSD', `sum(sharedcloud_agent_earnings_pending_dollars{${HERE}})`),
      stat('Agents up', 'short', `sum(up{job="sharedcloud-agent", ${HERE}})`),
      stat('Jobs running', 'short', `sum(sharedcloud_agent_slots{${HERE}, state="used"})`),
      stat('Power', 'watt', `sum(sharedcloud_agent_gpu_power_watts{${HERE}})`),
      stat(
        'Energy, last 24 h',
        'joule',
        `sum(increase(sharedcloud_agent_energy_joules_total{${HERE}}[24h]))`,
      ),
      {
        title: 'Earned per day',
        kind: 'bars',
        unit: 'currencyUSD',
        width: 12,
        stacked: true,
        queries: [
          {
            expr: `sum by (offer) (increase(sharedcloud_agent_earnings_confirmed_dollars_total{${HERE}}[1d]))`,
            legend: '{{offer}}',
          },
        ],
      },
      {
        title: 'Earned per hour',
        kind: 'timeseries',
        unit: 'currencyUSD',
        width: 12,
        stacked: true,
        queries: [
          {
            expr: `sum by (instance) (increase(sharedcloud_agent_earnings_confirmed_dollars_total{${HERE}}[1h]))`,
            legend: '{{instance}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Jobs',
    panels: [
      {
        title: 'Jobs per hour by outcome',
        kind: 'bars',
        unit: 'short',
        width: 12,
        stacked: true,
        queries: [
          {
            expr: `sum by (outcome) (increase(sharedcloud_agent_jobs_total{${HERE}}[1h]))`,
            legend: '{{outcome}}',
          },
        ],
      },
      {
        title: 'How long jobs run',
        kind: 'timeseries',
        unit: 's',
        width: 12,
        queries: ['0.5', '0.9', '0.99'].map((part) => ({
          expr: `histogram_quantile(${part}, sum by (le) (rate(sharedcloud_agent_job_duration_seconds_bucket{${HERE}}[1h])))`,
          legend: `${Number(part) * 100} %`,
        })),
      },
      {
        title: 'Slots',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        stacked: true,
        queries: [{ expr: `sum by (state) (sharedcloud_agent_slots{${HERE}})`, legend: '{{state}}' }],
      },
      {
        title: 'Reports and releases that wait for the broker',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        queries: [
          { expr: `sum(sharedcloud_agent_reports_pending{${HERE}})`, legend: 'reports' },
          { expr: `sum(sharedcloud_agent_releases_pending{${HERE}})`, legend: 'releases' },
        ],
      },
    ],
  },
  {
    title: 'GPUs',
    panels: [
      gpuPanel('Utilization', 'percentunit', `sharedcloud_agent_gpu_utilization_ratio{${HERE}}`),
      gpuPanel('Power', 'watt', `sharedcloud_agent_gpu_power_watts{${HERE}}`),
      gpuPanel('Temperature', 'celsius', `sharedcloud_agent_gpu_temperature_celsius{${HERE}}`),
      gpuPanel(
        'Memory in use',
        'bytes',
        `sum by (instance, gpu) (sharedcloud_agent_gpu_memory_bytes{${HERE}, state="used"})`,
      ),
      {
        title: 'Cordoned',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (instance, reason) (sharedcloud_agent_gpu_cordoned{${HERE}})`,
            legend: '{{instance}} {{reason}}',
          },
        ],
      },
      {
        title: 'Kept from jobs by the owner',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (instance, reason) (sharedcloud_agent_gpu_paused{${HERE}})`,
            legend: '{{instance}} {{reason}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Market',
    panels: [
      {
        title: 'Open runs',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        queries: [{ expr: `max by (offer) (sharedcloud_agent_runs_open{${HERE}})`, legend: '{{offer}}' }],
      },
      {
        title: 'Runs skipped by reason',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        stacked: true,
        queries: [
          {
            expr: `max by (reason) (sharedcloud_agent_runs_skipped{${HERE}}) > 0`,
            legend: '{{reason}}',
          },
        ],
      },
      {
        title: 'Claims per hour by result',
        kind: 'bars',
        unit: 'short',
        width: 12,
        stacked: true,
        queries: [
          {
            expr: `sum by (result) (increase(sharedcloud_agent_claims_total{${HERE}}[1h]))`,
            legend: '{{result}}',
          },
        ],
      },
      {
        title: 'Ask per minute',
        kind: 'timeseries',
        unit: 'currencyUSD',
        width: 12,
        queries: [
          {
            expr: `max by (instance, offer) (sharedcloud_agent_ask_dollars_per_minute{${HERE}})`,
            legend: '{{instance}} {{offer}}',
          },
        ],
      },
      {
        title: 'Offers on the market',
        kind: 'timeseries',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (instance, offer) (sharedcloud_agent_offer_on_market{${HERE}})`,
            legend: '{{instance}} {{offer}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Broker, engine and the agent',
    panels: [
      {
        title: 'Up',
        kind: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          { expr: `min by (instance) (sharedcloud_agent_broker_up{${HERE}})`, legend: '{{instance}} broker' },
          { expr: `min by (instance) (sharedcloud_agent_engine_up{${HERE}})`, legend: '{{instance}} engine' },
          {
            expr: `min by (instance) (sharedcloud_agent_journal_up{${HERE}})`,
            legend: '{{instance}} journal',
          },
        ],
      },
      {
        title: 'Claims blocked by',
        kind: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `sum by (instance, check) (sharedcloud_agent_claims_blocked{${HERE}})`,
            legend: '{{instance}} {{check}}',
          },
        ],
      },
      {
        title: 'Calls to the broker per minute by status',
        kind: 'timeseries',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `sum by (code) (60 * rate(sharedcloud_agent_broker_request_duration_seconds_count{${HERE}}[5m]))`,
            legend: '{{code}}',
          },
        ],
      },
      {
        title: 'Calls to the broker, 95 %',
        kind: 'timeseries',
        unit: 's',
        width: 8,
        help: 'Polls include the time for which the broker holds them.',
        queries: [
          {
            expr: `histogram_quantile(0.95, sum by (le, endpoint) (rate(sharedcloud_agent_broker_request_duration_seconds_bucket{${HERE}}[15m])))`,
            legend: '{{endpoint}}',
          },
        ],
      },
      {
        title: 'CPU of the agent',
        kind: 'timeseries',
        unit: 'percentunit',
        width: 8,
        queries: [
          {
            expr: `rate(process_cpu_seconds_total{job="sharedcloud-agent", ${HERE}}[5m])`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Memory of the agent',
        kind: 'timeseries',
        unit: 'bytes',
        width: 8,
        queries: [
          {
            expr: `process_resident_memory_bytes{job="sharedcloud-agent", ${HERE}}`,
            legend: '{{instance}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Take your machine back',
    panels: [
      {
        title: 'How long a reclaim takes',
        kind: 'timeseries',
        unit: 's',
        width: 12,
        queries: ['0.5', '0.95'].map((part) => ({
          expr: `histogram_quantile(${part}, sum by (le) (rate(sharedcloud_agent_reclaim_duration_seconds_bucket{${HERE}}[1d])))`,
          legend: `${Number(part) * 100} %`,
        })),
      },
      {
        title: 'How long images take',
        kind: 'timeseries',
        unit: 's',
        width: 12,
        queries: ['0.5', '0.95'].map((part) => ({
          expr: `histogram_quantile(${part}, sum by (le) (rate(sharedcloud_agent_image_pull_seconds_bucket{${HERE}}[1d])))`,
          legend: `${Number(part) * 100} %`,
        })),
      },
      {
        title: 'What images take, by who pulled them',
        kind: 'timeseries',
        unit: 'bytes',
        width: 12,
        queries: [
          {
            expr: `sum by (owner) (sharedcloud_agent_image_bytes{${HERE}})`,
            legend: '{{owner}}',
          },
        ],
      },
      {
        title: 'Evicted images per hour',
        kind: 'timeseries',
        unit: 'none',
        width: 12,
        queries: [
          {
            expr: `sum by (reason) (rate(sharedcloud_agent_image_evictions_total{${HERE}}[1h])) * 3600`,
            legend: '{{reason}}',
          },
        ],
      },
    ],
  },
];
