import type { Metric } from './metric.ts';

/*
 * Every metric, once: what is exposed and `docs/metrics.md` come from here. No label has values that a buyer controls, such
 * as names of functions, images or runs.
 */

/** The prefix of all that is the agent's own. */
const OWN = 'sharedcloud_agent_';

export const METRICS = {
  info: {
    name: `${OWN}info`,
    type: 'gauge',
    help: 'Version of the agent and of its Node.js; always 1.',
    labels: ['version', 'node'],
  },
  journalUp: {
    name: `${OWN}journal_up`,
    type: 'gauge',
    help: 'Whether the journal can be read: without it jobs_total, the earnings and the energy are missing.',
    labels: [],
  },

  earningsConfirmed: {
    name: `${OWN}earnings_confirmed_dollars_total`,
    type: 'counter',
    help: 'US dollars that the broker has confirmed for jobs.',
    unit: 'dollars',
    labels: ['offer'],
    since: 'the first start',
  },
  earningsPending: {
    name: `${OWN}earnings_pending_dollars`,
    type: 'gauge',
    help: 'US dollars that the broker should pay for reports that it has not accepted yet.',
    unit: 'dollars',
    labels: [],
  },
  reportsPending: {
    name: `${OWN}reports_pending`,
    type: 'gauge',
    help: 'Reports that the broker has not accepted yet.',
    labels: [],
  },
  reportPendingAge: {
    name: `${OWN}report_pending_seconds`,
    type: 'gauge',
    help: 'How long the report has waited that waits longest; 0: none waits.',
    unit: 'seconds',
    labels: [],
  },
  releasesPending: {
    name: `${OWN}releases_pending`,
    type: 'gauge',
    help: 'Releases of jobs that the broker has not accepted yet.',
    labels: [],
  },
  jobs: {
    name: `${OWN}jobs_total`,
    type: 'counter',
    help: 'Jobs that came to an end, by outcome.',
    labels: ['offer', 'outcome'],
    since: 'the first start',
  },
  jobDuration: {
    name: `${OWN}job_duration_seconds`,
    type: 'histogram',
    help: 'How long jobs ran.',
    unit: 'seconds',
    labels: [],
    buckets: [1, 5, 15, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200],
    since: 'this start',
  },

  claims: {
    name: `${OWN}claims_total`,
    type: 'counter',
    help: 'Claims that were sent to the broker, by its answer.',
    labels: ['offer', 'result'],
    since: 'this start',
  },
  runsOpen: {
    name: `${OWN}runs_open`,
    type: 'gauge',
    help: 'Runs on the market at the last poll of the offer; missing while polls fail.',
    labels: ['offer'],
  },
  runsSkipped: {
    name: `${OWN}runs_skipped`,
    type: 'gauge',
    help: 'Runs that the last decision of the offer skipped, by reason; docs/how-it-works.md explains each.',
    labels: ['offer', 'reason'],
  },
  ask: {
    name: `${OWN}ask_dollars_per_minute`,
    type: 'gauge',
    help: 'What the offer asks, in US dollars per job and minute.',
    labels: ['offer'],
  },
  offerOnMarket: {
    name: `${OWN}offer_on_market`,
    type: 'gauge',
    help: 'Whether the offer is on the market.',
    labels: ['offer'],
  },
  slots: {
    name: `${OWN}slots`,
    type: 'gauge',
    help: 'Slots of the offer, by state.',
    labels: ['offer', 'state'],
  },
  claimsBlocked: {
    name: `${OWN}claims_blocked`,
    type: 'gauge',
    help: 'Whether this check keeps the host from claiming jobs.',
    labels: ['check'],
  },

  gpuInfo: {
    name: `${OWN}gpu_info`,
    type: 'gauge',
    help: 'Index and model of a GPU, and the profile of a MIG slice; always 1.',
    labels: ['gpu', 'index', 'model', 'profile'],
  },
  gpuUtilization: {
    name: `${OWN}gpu_utilization_ratio`,
    type: 'gauge',
    help: 'Part of the time in which the GPU was busy, 0 to 1.',
    unit: 'ratio',
    labels: ['gpu'],
  },
  gpuMemory: {
    name: `${OWN}gpu_memory_bytes`,
    type: 'gauge',
    help: 'Memory of the GPU, by state.',
    unit: 'bytes',
    labels: ['gpu', 'state'],
  },
  gpuTemperature: {
    name: `${OWN}gpu_temperature_celsius`,
    type: 'gauge',
    help: 'Temperature of the GPU.',
    unit: 'celsius',
    labels: ['gpu'],
  },
  gpuPower: {
    name: `${OWN}gpu_power_watts`,
    type: 'gauge',
    help: 'Power that the GPU draws.',
    unit: 'watts',
    labels: ['gpu'],
  },
  gpuPowerLimit: {
    name: `${OWN}gpu_power_limit_watts`,
    type: 'gauge',
    help: 'Power that the GPU may draw.',
    unit: 'watts',
    labels: ['gpu'],
  },
  gpuFan: {
    name: `${OWN}gpu_fan_ratio`,
    type: 'gauge',
    help: 'Speed of the fan as a part of the intended one; some go beyond 1.',
    unit: 'ratio',
    labels: ['gpu'],
  },
  gpuThrottled: {
    name: `${OWN}gpu_throttled`,
    type: 'gauge',
    help: 'Whether heat slows the GPU down.',
    labels: ['gpu'],
  },
  gpuAsleep: {
    name: `${OWN}gpu_asleep`,
    type: 'gauge',
    help: 'Whether the GPU is powered down; it is not woken to be measured.',
    labels: ['gpu'],
  },
  energy: {
    name: `${OWN}energy_joules_total`,
    type: 'counter',
    help: 'Energy that the GPU has used while the agent ran; written once a minute.',
    unit: 'joules',
    labels: ['gpu'],
    since: 'the first start',
  },
  gpuCordoned: {
    name: `${OWN}gpu_cordoned`,
    type: 'gauge',
    help: 'Whether this check keeps a GPU or MIG slice from new jobs because it is sick.',
    labels: ['gpu', 'reason'],
  },
  gpuPaused: {
    name: `${OWN}gpu_paused`,
    type: 'gauge',
    help: 'Whether the owner keeps a GPU or MIG slice from new jobs, by the strongest reason.',
    labels: ['gpu', 'reason'],
  },
  reclaimDuration: {
    name: `${OWN}reclaim_duration_seconds`,
    type: 'histogram',
    help: 'From the command to take GPUs back until their memory was free, or its users were named.',
    unit: 'seconds',
    labels: [],
    buckets: [0.25, 0.5, 1, 2, 3, 4, 5, 10, 30, 60],
    since: 'this start',
  },

  imagePull: {
    name: `${OWN}image_pull_seconds`,
    type: 'histogram',
    help: 'How long it took until an image was ready; below a second it was there already.',
    unit: 'seconds',
    labels: [],
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600],
    since: 'this start',
  },
  imageFailures: {
    name: `${OWN}image_failures_total`,
    type: 'counter',
    help: 'Images that could not be made ready, by error code.',
    labels: ['code'],
    since: 'this start',
  },

  brokerUp: {
    name: `${OWN}broker_up`,
    type: 'gauge',
    help: 'Whether the broker answered the last call without an error of its own; missing before the first one.',
    labels: [],
  },
  brokerRequestDuration: {
    name: `${OWN}broker_request_duration_seconds`,
    type: 'histogram',
    help: 'How long calls to the broker took, by endpoint and status; polls include the time for which the broker holds them.',
    unit: 'seconds',
    labels: ['endpoint', 'code'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    since: 'this start',
  },
  engineUp: {
    name: `${OWN}engine_up`,
    type: 'gauge',
    help: 'Whether the Docker engine answers and can run containers.',
    labels: [],
  },
  events: {
    name: `${OWN}events_total`,
    type: 'counter',
    help: 'Events by name; docs/events.md explains each.',
    labels: ['event'],
    since: 'this start',
  },

  processCpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the agent’s own process.',
    unit: 'seconds',
    labels: [],
    since: 'this start',
  },
  processMemory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the agent’s own process.',
    unit: 'bytes',
    labels: [],
  },
  processFds: {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Open file descriptors of the agent’s own process.',
    labels: [],
  },
  processStart: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the agent’s own process started, in seconds since 1970.',
    unit: 'seconds',
    labels: [],
  },
  eventLoopLag: {
    name: 'nodejs_eventloop_lag_p99_seconds',
    type: 'gauge',
    help: 'Delay of the event loop that 99 % stay below, since the last scrape; measured from the first one on.',
    unit: 'seconds',
    labels: [],
  },
} as const satisfies Readonly<Record<string, Metric>>;
