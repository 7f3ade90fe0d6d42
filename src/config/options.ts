import { ACCEPTABLE_RISKS } from '../domain/vulnerabilities.ts';
import { bandwidth } from './bandwidth.ts';
import { duration } from './duration.ts';
import { count, cpuCores, price, tcpPort } from './number-types.ts';
import { size } from './size.ts';
import { sizeOrPart } from './size-or-part.ts';
import {
  absolutePath,
  choice,
  foreignPath,
  imagePatterns,
  path,
  program,
  secret,
  userAndGroup,
} from './text-types.ts';
import { brokerUrl, dockerHost, noProxy, proxyUrl } from './url-types.ts';
import { list, type ValueType } from './value-type.ts';

/** The groups of options in help and docs. */
export const GROUPS = ['Broker', 'Offer', 'Jobs', 'Host', 'Log', 'Configuration'] as const;

/** An option. Its flag is `--name`, its key in the file `name`. */
export type Option<T> = {
  readonly name: string;
  readonly env: string;
  /** Whether the variable is also read in lower case, which goes first, as other programs do. */
  readonly lowerCaseEnv?: true;
  readonly type: ValueType<T>;
  /** Written as by an owner and parsed the same way; absent: none. */
  readonly default?: string;
  /** Shown in help and tables instead of an absent or empty default. */
  readonly unset?: string;
  readonly help: string;
  readonly group: (typeof GROUPS)[number];
  /** The sources that may set it; by default all three. */
  readonly only?: readonly ('flag' | 'env' | 'file')[];
  /** Never shown, not in `check` and not in messages. */
  readonly secret?: true;
};

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
  images: {
    name: 'images',
    env: 'SHAREDCLOUD_IMAGES',
    type: imagePatterns,
    default: 'sharedcloud/*',
    help: 'images that jobs may use; `*` matches any characters',
    group: 'Offer',
  },
  maxImageSize: {
    name: 'max-image-size',
    env: 'SHAREDCLOUD_MAX_IMAGE_SIZE',
    type: size('1 MB', '10 TB'),
    default: '20 GB',
    help: 'maximum size of an image; larger ones are not pulled',
    group: 'Offer',
  },
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
    default: '65534:65534',
    help: 'numeric user and group of jobs inside their containers',
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
  dockerHost: {
    name: 'docker-host',
    env: 'DOCKER_HOST',
    type: dockerHost,
    default: 'unix:///var/run/docker.sock',
    help: 'URL of the container engine',
    group: 'Host',
  },
  dockerConfig: {
    name: 'docker-config',
    env: 'DOCKER_CONFIG',
    type: path,
    unset: '`~/.docker` of the agent’s user',
    help: 'directory of Docker’s `config.json`, which has the credentials for private registries',
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
  minFreeGpuMemory: {
    name: 'min-free-gpu-memory',
    env: 'SHAREDCLOUD_MIN_FREE_GPU_MEMORY',
    type: sizeOrPart('0 B', '10 TB'),
    default: '10%',
    help: 'minimum free memory of a GPU, as a size or a part of it; with less no job is claimed on it',
    group: 'Host',
  },
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

/** Whether a source may set an option. */
export function maySet(option: Option<unknown>, kind: 'flag' | 'env' | 'file'): boolean {
  return option.only?.includes(kind) ?? true;
}
