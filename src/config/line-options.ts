import { bandwidth } from './bandwidth.ts';
import { tcpPort } from './number-types.ts';
import type { Option } from './option.ts';
import { size } from './size.ts';
import { choice, path } from './text-types.ts';
import { list } from './value-type.ts';

/** The options of what jobs may do on the owner's line; a part of the table of all options. */
export const LINE_OPTIONS = {
  jobBandwidth: {
    name: 'job-bandwidth',
    env: 'SHAREDCLOUD_JOB_BANDWIDTH',
    type: bandwidth,
    unset: 'no limit',
    help: 'maximum rate at which a job sends, and at which it receives; in the file, because `network up` applies it',
    group: 'Jobs',
  },
  jobBlockPorts: {
    name: 'job-block-ports',
    env: 'SHAREDCLOUD_JOB_BLOCK_PORTS',
    type: list(tcpPort),
    default: '',
    unset: 'only 25',
    help: 'TCP ports beside 25 to which jobs cannot connect; in the file, because `network up` applies it',
    group: 'Jobs',
  },
  jobTraffic: {
    name: 'job-traffic',
    env: 'SHAREDCLOUD_JOB_TRAFFIC',
    type: size('1 kB', '1000 TB'),
    unset: 'no limit',
    help: 'maximum that a job may send and receive together; it then ends as FAILED',
    group: 'Jobs',
  },
  jobTrafficLog: {
    name: 'job-traffic-log',
    env: 'SHAREDCLOUD_JOB_TRAFFIC_LOG',
    type: choice('off', 'on'),
    default: 'off',
    help: 'log each new connection of a job for 30 days, for `jobs find`; in the file, because a unit as root writes it',
    group: 'Jobs',
  },
  jobTrafficLogDir: {
    name: 'job-traffic-log-dir',
    env: 'SHAREDCLOUD_JOB_TRAFFIC_LOG_DIR',
    type: path,
    default: '/var/lib/sharedcloud-agent-network',
    help: 'directory of that log, at most 1 GiB',
    group: 'Jobs',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
