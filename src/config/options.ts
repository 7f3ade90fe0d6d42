import { ACCEPTABLE_RISKS } from '../domain/vulnerabilities.ts';
import { ASK_OPTIONS } from './ask-options.ts';
import { duration } from './duration.ts';
import { GPU_OPTIONS } from './gpu-options.ts';
import { IMAGE_OPTIONS } from './image-options.ts';
import { LINE_OPTIONS } from './line-options.ts';
import { MARKET_HISTORY_OPTIONS } from './market-history-options.ts';
import { MONEY_OPTIONS } from './money-options.ts';
import { NOTIFY_OPTIONS } from './notify-options.ts';
import { count, cpuCores, price } from './number-types.ts';
import type { Option } from './option.ts';
import { OWNER_OPTIONS } from './owner-options.ts';
import { PAGE_OPTIONS } from './page-options.ts';
import { size } from './size.ts';
import { absolutePath, choice, foreignPath, path, program, secret, userAndGroup } from './text-types.ts';
import { timeZone } from './time-zone.ts';
import { brokerUrl, dockerContext, dockerHost, dockerSwitch, noProxy, proxyUrl } from './url-types.ts';
import { list } from './value-type.ts';

/** All options. Flags, environment, file keys, validation, `check` and the docs are derived from this table. */
export const OPTIONS = {
  brokerUrl: {
    name: 'broker-url',
    env: 'SHAREDCLOUD_BROKER_URL',
    type: brokerUrl,
    default: 'https://sharedcloud.io',
    help: 'URL of the broker',
    group: 'Broker',
  },
  token: {
    name: 'token',
    env: 'SHAREDCLOUD_TOKEN',
    type: secret,
    unset: 'the token file is read',
    help: 'the token itself; a token file is safer',
    group: 'Broker',
    only: ['env'],
    secret: true,
  },
  tokenFile: {
    name: 'token-file',
    env: 'SHAREDCLOUD_TOKEN_FILE',
    type: path,
    unset: 'systemd’s credential `token`, else `/etc/sharedcloud-agent/token`',
    help: 'file with the broker’s token, which only its owner may read (mode 0600)',
    group: 'Broker',
  },
  runtimeDirectory: {
    name: 'runtime-directory',
    env: 'RUNTIME_DIRECTORY',
    type: absolutePath,
    unset: 'no sockets for a group',
    help: 'set by systemd for `RuntimeDirectory=`: there the members of the agent’s group find its sockets',
    group: 'Host',
    only: ['env'],
  },
  credentialsDirectory: {
    name: 'credentials-directory',
    env: 'CREDENTIALS_DIRECTORY',
    type: absolutePath,
    unset: 'no credential',
    help: 'set by systemd for `LoadCredential=token:...`',
    group: 'Broker',
    only: ['env'],
  },
  httpsProxy: {
    name: 'https-proxy',
    env: 'HTTPS_PROXY',
    lowerCaseEnv: true,
    type: proxyUrl,
    unset: 'no proxy',
    help: 'HTTP proxy for a broker at an https URL',
    group: 'Broker',
    only: ['env', 'file'],
  },
  httpProxy: {
    name: 'http-proxy',
    env: 'HTTP_PROXY',
    lowerCaseEnv: true,
    type: proxyUrl,
    unset: 'no proxy',
    help: 'HTTP proxy for a broker at an http URL',
    group: 'Broker',
    only: ['env', 'file'],
  },
  noProxy: {
    name: 'no-proxy',
    env: 'NO_PROXY',
    lowerCaseEnv: true,
    type: noProxy,
    default: '',
    unset: 'none',
    help: 'hosts, domains, addresses and subnets that are reached without the proxy; `*` for all',
    group: 'Broker',
    only: ['env', 'file'],
  },
  sslCertFile: {
    name: 'ssl-cert-file',
    env: 'SSL_CERT_FILE',
    type: foreignPath,
    unset: 'the system’s bundle',
    help: 'file with the certificate authorities of this host, in PEM format',
    group: 'Broker',
    only: ['env'],
  },
  sslCertDir: {
    name: 'ssl-cert-dir',
    env: 'SSL_CERT_DIR',
    type: foreignPath,
    unset: '`/etc/ssl/certs`',
    help: 'directories with certificate authorities of this host, separated by colons',
    group: 'Broker',
    only: ['env'],
  },
  nodeExtraCaCerts: {
    name: 'node-extra-ca-certs',
    env: 'NODE_EXTRA_CA_CERTS',
    type: foreignPath,
    unset: 'none',
    help: 'file with more certificate authorities, in PEM format',
    group: 'Broker',
    only: ['env'],
  },
  pollInterval: {
    name: 'poll-interval',
    env: 'SHAREDCLOUD_POLL_INTERVAL',
    type: duration('100ms', '1h'),
    default: '5s',
    help: 'how often to poll a broker that does not support held calls',
    group: 'Broker',
  },
  askPrice: {
    name: 'ask-price',
    env: 'SHAREDCLOUD_ASK_PRICE',
    type: price,
    unset: 'none; required unless the file has one for every GPU model',
    help: 'minimum price of a job, in US dollars per minute',
    group: 'Offer',
  },
  ...ASK_OPTIONS,
  ...MARKET_HISTORY_OPTIONS,
  slotsPerGpu: {
    name: 'slots-per-gpu',
    env: 'SHAREDCLOUD_SLOTS_PER_GPU',
    type: count(1, 64),
    default: '1',
    help: 'how many jobs may share one GPU',
    group: 'Offer',
  },
  cpuSlots: {
    name: 'cpu-slots',
    env: 'SHAREDCLOUD_CPU_SLOTS',
    type: count(0, 1024),
    default: '0',
    help: 'how many jobs without a GPU may run at once; 0 offers none',
    group: 'Offer',
  },
  timeZone: {
    name: 'time-zone',
    env: 'SHAREDCLOUD_TIME_ZONE',
    type: timeZone,
    unset: 'that of the host',
    help: 'time zone of the schedule, of windows of prices and of the daily summary, by its IANA name',
    group: 'Offer',
  },
  ...IMAGE_OPTIONS,
  jobTimeout: {
    name: 'job-timeout',
    env: 'SHAREDCLOUD_JOB_TIMEOUT',
    type: duration('1s', '30d'),
    default: '30m',
    help: 'how long a job may run; it then ends as TIMEOUT',
    group: 'Jobs',
  },
  jobMemory: {
    name: 'job-memory',
    env: 'SHAREDCLOUD_JOB_MEMORY',
    type: size('16 MiB', '100 TB'),
    unset: 'an equal share of the host per slot',
    help: 'maximum memory of a job',
    group: 'Jobs',
  },
  jobCpus: {
    name: 'job-cpus',
    env: 'SHAREDCLOUD_JOB_CPUS',
    type: cpuCores,
    unset: 'an equal share of the host per slot',
    help: 'maximum CPU cores of a job',
    group: 'Jobs',
  },
  jobDisk: {
    name: 'job-disk',
    env: 'SHAREDCLOUD_JOB_DISK',
    type: size('1 MB', '100 TB'),
    default: '20 GB',
    help: 'maximum that a job may write to disk',
    group: 'Jobs',
  },
  ...LINE_OPTIONS,
  jobNetwork: {
    name: 'job-network',
    env: 'SHAREDCLOUD_JOB_NETWORK',
    type: choice('isolated', 'none', 'bridge'),
    default: 'isolated',
    help: 'network of jobs; `isolated` reaches only the internet, `bridge` also this host and its network',
    group: 'Jobs',
  },
  jobUser: {
    name: 'job-user',
    env: 'SHAREDCLOUD_JOB_USER',
    type: userAndGroup,
    default: 'separate',
    help: 'numeric user and group of jobs inside their containers; `separate`: user 65534, and jobs beside it 65533 to 65520',
    group: 'Jobs',
  },
  jobRuntime: {
    name: 'job-runtime',
    env: 'SHAREDCLOUD_JOB_RUNTIME',
    type: choice('runc', 'runsc'),
    default: 'runc',
    help: 'OCI runtime of jobs; `runsc` is gVisor, which gives each job its own kernel',
    group: 'Jobs',
  },
  ...OWNER_OPTIONS,
  ...PAGE_OPTIONS,
  ...MONEY_OPTIONS,
  ...NOTIFY_OPTIONS,
  dockerHost: {
    name: 'docker-host',
    env: 'DOCKER_HOST',
    type: dockerHost,
    default: 'unix:///var/run/docker.sock',
    help: 'URL of the container engine; takes precedence over a Docker context',
    group: 'Host',
  },
  dockerContext: {
    name: 'docker-context',
    env: 'DOCKER_CONTEXT',
    type: dockerContext,
    unset: 'the current context of the agent’s user (`docker context use`)',
    help: 'Docker context that names the engine, with its certificates',
    group: 'Host',
  },
  dockerConfig: {
    name: 'docker-config',
    env: 'DOCKER_CONFIG',
    type: path,
    unset: '`~/.docker` of the agent’s user',
    help: 'directory of Docker’s `config.json`, which has the credentials for private registries, and of its contexts',
    group: 'Host',
  },
  dockerTlsVerify: {
    name: 'docker-tls-verify',
    env: 'DOCKER_TLS_VERIFY',
    type: dockerSwitch,
    default: 'false',
    help: '`true`: a `tcp://` engine is reached over TLS; its certificate is always verified',
    group: 'Host',
  },
  dockerCertPath: {
    name: 'docker-cert-path',
    env: 'DOCKER_CERT_PATH',
    type: path,
    unset: '`--docker-config`',
    help: 'directory of `ca.pem`, `cert.pem` and `key.pem`; if set, a `tcp://` engine is reached over TLS',
    group: 'Host',
  },
  gpuMode: {
    name: 'gpu-mode',
    env: 'SHAREDCLOUD_GPU_MODE',
    type: choice('auto', 'cdi', 'device-requests', 'runtime'),
    default: 'auto',
    help: 'how a container gets its GPU; `auto` picks the best way that works, for each GPU',
    group: 'Host',
  },
  acceptRisk: {
    name: 'accept-risk',
    env: 'SHAREDCLOUD_ACCEPT_RISK',
    type: list(choice(...ACCEPTABLE_RISKS)),
    default: '',
    unset: 'none',
    help: 'known vulnerabilities to accept, for which the agent otherwise refuses jobs',
    group: 'Host',
  },
  nvidiaSmi: {
    name: 'nvidia-smi',
    env: 'SHAREDCLOUD_NVIDIA_SMI',
    type: program,
    default: 'nvidia-smi',
    help: 'the nvidia-smi program',
    group: 'Host',
  },
  nvidiaSmiTimeout: {
    name: 'nvidia-smi-timeout',
    env: 'SHAREDCLOUD_NVIDIA_SMI_TIMEOUT',
    type: duration('1s', '10m'),
    default: '15s',
    help: 'deadline of one call of nvidia-smi; without persistence mode it may take 30 s and more',
    group: 'Host',
  },
  stateDir: {
    name: 'state-dir',
    env: 'SHAREDCLOUD_STATE_DIR',
    type: path,
    default: '/var/lib/sharedcloud-agent',
    help: 'directory of the journal and of the jobs’ files',
    group: 'Host',
  },
  keepHistory: {
    name: 'keep-history',
    env: 'SHAREDCLOUD_KEEP_HISTORY',
    type: duration('1m', '3650d'),
    default: '30d',
    help: 'how long finished jobs stay in the journal',
    group: 'Host',
  },
  minFreeDisk: {
    name: 'min-free-disk',
    env: 'SHAREDCLOUD_MIN_FREE_DISK',
    type: size('0 B', '100 TB'),
    default: '10 GB',
    help: 'minimum free disk space, for the agent and for Docker; below it no job is claimed',
    group: 'Host',
  },
  ...GPU_OPTIONS,
  logLevel: {
    name: 'log-level',
    env: 'SHAREDCLOUD_LOG_LEVEL',
    type: choice('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'minimum level of the lines that are logged',
    group: 'Log',
  },
  logFormat: {
    name: 'log-format',
    env: 'SHAREDCLOUD_LOG_FORMAT',
    type: choice('auto', 'json', 'pretty'),
    default: 'auto',
    help: '`auto` is `pretty` on a terminal and in `dry-run`, else `json`',
    group: 'Log',
  },
  configFile: {
    name: 'config',
    env: 'SHAREDCLOUD_CONFIG',
    type: path,
    default: '/etc/sharedcloud-agent/config.toml',
    help: 'the configuration file; may be absent unless named',
    group: 'Configuration',
    only: ['flag', 'env'],
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** The name of an option in the code. */
export type OptionKey = keyof typeof OPTIONS;

/** The keys of all options in the order of the table. */
export const OPTION_KEYS: readonly OptionKey[] = Object.keys(OPTIONS).filter((key): key is OptionKey =>
  Object.hasOwn(OPTIONS, key),
);

/** The option as the general type, for code that handles all options. */
export function optionOf(key: OptionKey): Option<unknown> {
  return OPTIONS[key];
}
